package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"gearbolt/clients"
)

// An outcome is what became of one job, for --output json.
type outcome struct {
	Line      int     `json:"line,omitempty"`
	Function  string  `json:"function"`
	Server    string  `json:"server,omitempty"`
	Handle    string  `json:"handle,omitempty"`
	Outcome   string  `json:"outcome"` // one of outcomeNames
	Data      []bytes `json:"data,omitempty"`
	Warnings  []bytes `json:"warnings,omitempty"`
	Result    *bytes  `json:"result,omitempty"`
	Exception *bytes  `json:"exception,omitempty"`
	Error     string  `json:"error,omitempty"`
}

// outcomeNames are the outcomes by exit code; 0 is complete, or queued.
var outcomeNames = map[int]string{
	exitError:       "error",
	exitFailed:      "failed",
	exitException:   "exception",
	exitRefused:     "refused",
	exitUnreachable: "unreachable",
	exitLost:        "lost",
	exitTime:        "timeout",
}

// bytes are written as a string where they are text, and otherwise as
// {"base64": ...}.
type bytes []byte

// MarshalJSON is part of json.Marshaler.
func (b bytes) MarshalJSON() ([]byte, error) {
	if utf8.Valid(b) {
		return json.Marshal(string(b))
	}
	return json.Marshal(map[string][]byte{"base64": b})
}

// hear adds an event.
func (o *outcome) hear(e clients.Event) {
	switch e.Kind {
	case clients.Created:
		o.Server, o.Handle = e.Handle.Server, e.Handle.ID
	case clients.Data:
		o.Data = append(o.Data, e.Data)
	case clients.Warning:
		o.Warnings = append(o.Warnings, e.Data)
	case clients.Complete:
		o.Result = (*bytes)(&e.Data)
	}
}

// end adds how it ended.
func (o *outcome) end(ctx context.Context, background bool, err error) {
	var exception *clients.Exception
	switch {
	case err == nil && background:
		o.Outcome = "queued"
		return
	case err == nil:
		o.Outcome = "complete"
		return
	case errors.As(err, &exception):
		o.Exception = (*bytes)(&exception.Data)
	}
	var code int
	code, o.Error = verdict(ctx, err)
	if o.Outcome = outcomeNames[code]; o.Outcome == "" {
		o.Outcome = "interrupted"
	}
}

// runOne submits the only job.
func (s *submission) runOne(ctx context.Context, payload []byte) error {
	if s.out.json() {
		o := &outcome{Function: s.function}
		err := s.one(ctx, payload, o.hear)
		o.end(ctx, s.background, err)
		return s.silenced(ctx, err, writeJSON(s.Stdout, o))
	}
	show := &display{submission: s, bar: newBar(s.Stderr, !s.quiet)}
	err := s.one(ctx, payload, show.hear)
	show.bar.clear()
	return errors.Join(err, show.err)
}

// silenced keeps only the exit code of an error that the output tells.
func (s *submission) silenced(ctx context.Context, err, written error) error {
	if err == nil || written != nil {
		return written
	}
	code, _ := verdict(ctx, err)
	return &coded{code: code}
}

// A display shows a job to people.
type display struct {
	*submission
	bar *bar
	err error // of standard output
}

func (d *display) hear(e clients.Event) {
	switch e.Kind {
	case clients.Created:
		if d.background {
			d.print([]byte(d.handleText(e.Handle)+"\n"), false)
		}
	case clients.Progress:
		d.bar.show(e.Numerator, e.Denominator)
	case clients.Data:
		d.print(e.Data, false)
	case clients.Warning:
		if !d.quiet {
			d.bar.clear()
			d.Stderr.Write(withLineEnd(e.Data))
		}
	case clients.Complete:
		d.print(e.Data, true)
	}
}

// print prints bytes as they are; only a terminal gets a line end behind the
// last.
func (d *display) print(b []byte, last bool) {
	d.bar.clear()
	if last && isTerminal(d.Stdout) {
		b = withLineEnd(b)
	}
	if _, err := d.Stdout.Write(b); err != nil && d.err == nil {
		d.err = fmt.Errorf("the result cannot be written: %w", err)
	}
}

// withLineEnd adds a line end to what has none.
func withLineEnd(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] != '\n' {
		return append(b[:n:n], '\n')
	}
	return b
}
