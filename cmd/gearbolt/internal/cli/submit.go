package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gearbolt/clients"
	"gearbolt/cmd/gearbolt/internal/target"
)

// A submission is one run of the command submit.
type submission struct {
	*app
	client *clients.Client
	set    *target.Set

	function    string
	background  bool
	high, low   bool
	unique      string
	at          string
	in          time.Duration
	retries     int
	wait        bool
	timeout     time.Duration
	lines       bool
	concurrency int
	quiet       bool
	out         outputFlag

	start time.Time
}

func (a *app) submit() *cobra.Command {
	s := &submission{app: a, out: newOutput(outputText)}
	c := &cobra.Command{
		Use:   "submit FUNCTION [PAYLOAD | -]",
		Short: "Call a function, or queue a job in the background",
		Long: `Calls a function and prints its result. The payload is the argument, or standard
input. What the worker says meanwhile is printed as it comes: data on standard
output, warnings on standard error, and progress as a bar where that is a
terminal.

With --background the job is queued, and its handle printed; with --at or --in,
which imply that, it is not done before its time. With --lines each line of the
input is a job of its own; results (or handles) are printed in the order of the
lines, and the exit code is that of the first line that went wrong.

` + exitCodes,
		Example: `  gearbolt submit wc < file
  gearbolt submit resize '{"image":7}' --timeout 30s
  gearbolt submit mail "hello" --background --unique mail-4711
  gearbolt submit report --in 2h < report.json
  gearbolt submit report --at '2030-01-01 06:00' </dev/null
  find . -name '*.jpg' | gearbolt submit thumbnail --lines -n 8
  gearbolt submit wc -o json < file | jq -r .result`,
		Args:              arguments(1, 2),
		ValidArgsFunction: a.functionNames,
	}
	f := c.Flags()
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if err := s.schedule(f.Changed("at"), f.Changed("in")); err != nil {
			return err
		}
		return s.run(cmd.Context(), args)
	}
	f.BoolVarP(&s.background, "background", "b", false, "queue the job, print its handle and do not wait")
	f.BoolVar(&s.high, "high", false, "high priority")
	f.BoolVar(&s.low, "low", false, "low priority")
	f.StringVarP(&s.unique, "unique", "u", "", "unique `id`: jobs of a function with one id are joined; \"-\" stands for the payload")
	f.StringVar(&s.at, "at", "", "not before this `time`: 15:04, '2006-01-02 15:04', 2006-01-02T15:04:05Z or @seconds")
	f.DurationVar(&s.in, "in", 0, "not before so much time has passed")
	f.DurationVarP(&s.timeout, "timeout", "t", 0, "give up the wait for a job after so long; 0 is never")
	f.IntVar(&s.retries, "retry", 0, "send a job again, up to so many times, when the connection was lost:\nit may run twice")
	f.BoolVar(&s.wait, "wait", false, "wait for a server when there is none")
	f.BoolVarP(&s.lines, "lines", "l", false, "each line of the input is a job")
	f.IntVarP(&s.concurrency, "concurrency", "n", 10, "with --lines, how many jobs may be under way at once")
	f.BoolVarP(&s.quiet, "quiet", "q", false, "neither warnings nor progress")
	f.VarP(&s.out, "output", "o", "text, or json: an object for each job")
	c.MarkFlagsMutuallyExclusive("high", "low")
	c.MarkFlagsMutuallyExclusive("at", "in")
	return c
}

func (s *submission) run(ctx context.Context, args []string) (err error) {
	s.function = args[0]
	if err := s.check(args); err != nil {
		return err
	}
	if s.client, s.set, err = s.app.client(); err != nil {
		return err
	}
	defer s.client.Close()
	if s.lines {
		return s.runLines(ctx)
	}
	payload, err := s.payload(ctx, args)
	if err != nil {
		return err
	}
	return s.runOne(ctx, payload)
}

// schedule takes the time from --at or --in, if one of them was given: an empty
// one, of a script whose variable is not set, is a mistake.
func (s *submission) schedule(at, in bool) (err error) {
	switch {
	case at:
		s.start, err = parseTime(s.at, time.Now())
	case in:
		s.start = time.Now().Add(s.in)
	}
	s.background = s.background || at || in
	return err
}

// check finds what the flags cannot mean together.
func (s *submission) check(args []string) error {
	switch {
	case s.timeout < 0 || s.retries < 0:
		return usageError("--timeout and --retry cannot be negative")
	case !s.start.IsZero() && (s.high || s.low):
		return usageError("a job with a start time has normal priority; leave out --high and --low, or the time")
	case s.lines && len(args) > 1 && args[1] != "-":
		return usageError("with --lines the payloads come from standard input; leave out %q", args[1])
	case s.lines && s.concurrency < 1:
		return usageError("-n %d lets no job begin; give at least 1", s.concurrency)
	}
	return nil
}

// payload reads the argument or standard input. A signal ends the wait for
// somebody who types.
func (s *submission) payload(ctx context.Context, args []string) ([]byte, error) {
	if len(args) > 1 && args[1] != "-" {
		return []byte(args[1]), nil
	}
	type input struct {
		b   []byte
		err error
	}
	read := make(chan input, 1)
	go func() {
		b, err := io.ReadAll(s.Stdin)
		read <- input{b, err}
	}()
	select {
	case in := <-read:
		if in.err != nil {
			return nil, fmt.Errorf("the payload cannot be read: %w", in.err)
		}
		return in.b, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// options are what the flags say about each job.
func (s *submission) options() (opts []clients.CallOption) {
	switch {
	case s.high:
		opts = append(opts, clients.Priority(clients.High))
	case s.low:
		opts = append(opts, clients.Priority(clients.Low))
	}
	if s.unique != "" {
		opts = append(opts, clients.Unique(s.unique))
	}
	if !s.start.IsZero() {
		opts = append(opts, clients.At(s.start))
	}
	if s.wait {
		opts = append(opts, clients.WaitForServer())
	}
	if s.retries > 0 {
		opts = append(opts, clients.Retry(s.retries))
	}
	return opts
}

// bound bounds the wait for one job.
func (s *submission) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, s.timeout)
}

// one submits one job and tells what happens to it.
func (s *submission) one(ctx context.Context, payload []byte, hear func(clients.Event)) error {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	if s.background {
		h, err := s.client.Submit(ctx, s.function, payload, s.options()...)
		if err == nil {
			hear(clients.Event{Kind: clients.Created, Handle: h})
		}
		return err
	}
	for e, err := range s.client.Stream(ctx, s.function, payload, s.options()...) {
		if err != nil {
			return err
		}
		hear(e)
	}
	return nil
}

// handleText is a handle as show and cancel take it: with its server where
// there are several.
func (s *submission) handleText(h clients.Handle) string {
	if len(s.set.Servers) > 1 {
		return h.String()
	}
	return h.ID
}

// parseTime reads a time as people write it; one without a date is the next.
func parseTime(text string, now time.Time) (time.Time, error) {
	if digits, ok := strings.CutPrefix(text, "@"); ok {
		if seconds, err := strconv.ParseInt(digits, 10, 64); err == nil {
			return time.Unix(seconds, 0), nil
		}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	for _, layout := range []string{time.DateTime, "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{"15:04", time.TimeOnly} {
		t, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		y, m, d := now.Date()
		next := time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, now.Location())
		if !next.After(now) {
			next = time.Date(y, m, d+1, t.Hour(), t.Minute(), t.Second(), 0, now.Location())
		}
		return next, nil
	}
	return time.Time{}, usageError("--at %q is no time; give one like 15:04, '2006-01-02 15:04', 2006-01-02T15:04:05Z or @1735689600", text)
}
