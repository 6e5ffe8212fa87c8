package cli

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"

	"gearbolt/clients"
)

// A lineJob is the job of one line.
type lineJob struct {
	number int
	done   chan struct{} // closed at the end; then the rest is final
	output []byte        // what the job printed, for text
	json   *outcome
	err    error
}

// runLines submits each line of the input. Results wait to be printed in the
// order of the lines: of those about as many as jobs may be under way.
func (s *submission) runLines(ctx context.Context) error {
	jobs := make(chan *lineJob, s.concurrency)
	var read error
	go func() {
		defer close(jobs)
		read = s.readLines(ctx, jobs)
	}()
	var first error
	for {
		select {
		case j, ok := <-jobs:
			if !ok {
				if first != nil && read != nil { // its text was told already
					s.complain("%v", read)
				}
				return cmp.Or(first, read)
			}
			<-j.done
			if err := s.printLine(ctx, j); err != nil && first == nil {
				first = err
			}
		case <-ctx.Done():
			return context.Cause(ctx) // whoever types does not have to
		}
	}
}

// readLines begins a job for each line, and hands the jobs over in order.
func (s *submission) readLines(ctx context.Context, jobs chan<- *lineJob) error {
	slots := make(chan struct{}, s.concurrency)
	in := bufio.NewReaderSize(s.Stdin, 64<<10)
	for number := 1; ctx.Err() == nil; number++ {
		line, err := in.ReadBytes('\n')
		if len(line) == 0 && err != nil {
			if err == io.EOF {
				return nil
			}
			return fmt.Errorf("the input cannot be read: %w", err)
		}
		if line[len(line)-1] == '\n' {
			line = line[:len(line)-1]
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		j := &lineJob{number: number, done: make(chan struct{})}
		go func() {
			defer func() { <-slots }()
			defer close(j.done)
			s.runLine(ctx, j, line)
		}()
		select {
		case jobs <- j:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// runLine does the job of one line, and keeps what there is to print.
func (s *submission) runLine(ctx context.Context, j *lineJob, payload []byte) {
	if s.out.json() {
		j.json = &outcome{Line: j.number, Function: s.function}
		j.err = s.one(ctx, payload, j.json.hear)
		j.json.end(ctx, s.background, j.err)
		return
	}
	j.err = s.one(ctx, payload, func(e clients.Event) {
		switch e.Kind {
		case clients.Created:
			if s.background {
				j.output = append(j.output, s.handleText(e.Handle)...)
			}
		case clients.Data, clients.Complete:
			j.output = append(j.output, e.Data...)
		case clients.Warning:
			if !s.quiet {
				fmt.Fprintf(s.Stderr, "line %d: %s", j.number, withLineEnd(e.Data))
			}
		}
	})
}

// printLine prints what a job left. Each result ends in a line end.
func (s *submission) printLine(ctx context.Context, j *lineJob) error {
	if s.out.json() {
		return s.silenced(ctx, j.err, writeJSON(s.Stdout, j.json))
	}
	if _, err := s.Stdout.Write(withLineEnd(j.output)); err != nil {
		return fmt.Errorf("the result cannot be written: %w", err)
	}
	if j.err == nil {
		return nil
	}
	code, text := verdict(ctx, j.err)
	s.complain("line %d: %s", j.number, text)
	return &coded{code: code}
}
