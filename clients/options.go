package clients

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"gearbolt/protocol"
)

// A Level is how urgent a job is. Within a server, a job of a higher level is
// handed out first.
type Level uint8

// The levels.
const (
	Normal Level = iota
	High
	Low
)

// A CallOption says something about one call.
type CallOption func(*callOptions)

type callOptions struct {
	level      Level
	unique     string
	start      time.Time
	reducer    string
	hasReducer bool
	wait       bool
	again      int
}

// Priority sets the job's level. Jobs with a start time or a reducer are Normal
// by protocol.
func Priority(l Level) CallOption { return func(o *callOptions) { o.level = l } }

// Unique gives the job an id, of at most 64 bytes without NUL. A server joins
// calls of one function with one id while the job waits or runs: it runs once
// and all get its result. The id "-" stands for the payload itself.
func Unique(id string) CallOption { return func(o *callOptions) { o.unique = id } }

// At makes a background job start at t, to the second, or at once where t is
// past.
func At(t time.Time) CallOption { return func(o *callOptions) { o.start = t } }

// Reducer names the function that is to take the job's partial results. The
// worker finds it in [Job.Reducer].
func Reducer(function string) CallOption {
	return func(o *callOptions) { o.reducer, o.hasReducer = function, true }
}

// WaitForServer makes the call wait for a server, until its context ends, in
// place of failing with [ErrNoServer].
func WaitForServer() CallOption { return func(o *callOptions) { o.wait = true } }

// Retry sends the job again, up to n times, when the connection was lost after
// it had been sent. It may then run more than once, so the function must allow
// that; with a [Unique] id a second run at the same time is at least no threat
// on the server that still has the first.
func Retry(n int) CallOption { return func(o *callOptions) { o.again = n } }

// packet chooses how the job is submitted.
func (o *callOptions) packet(background bool) (protocol.Type, error) {
	scheduled := !o.start.IsZero()
	switch {
	case scheduled && !background:
		return 0, errors.New("only a background job can have a start time")
	case scheduled && o.hasReducer:
		return 0, errors.New("a job cannot have both a start time and a reducer")
	case (scheduled || o.hasReducer) && o.level != Normal:
		return 0, errors.New("a job with a start time or a reducer has normal priority")
	case o.level > Low:
		return 0, fmt.Errorf("there is no priority %d", o.level)
	case scheduled:
		return protocol.SubmitJobEpoch, nil
	case o.hasReducer && background:
		return protocol.SubmitReduceJobBG, nil
	case o.hasReducer:
		return protocol.SubmitReduceJob, nil
	case background:
		return [...]protocol.Type{protocol.SubmitJobBG, protocol.SubmitJobHighBG, protocol.SubmitJobLowBG}[o.level], nil
	}
	return [...]protocol.Type{protocol.SubmitJob, protocol.SubmitJobHigh, protocol.SubmitJobLow}[o.level], nil
}

// check finds what the protocol cannot carry.
func (o *callOptions) check() error {
	if err := checkArgument("unique id", o.unique, protocol.MaxUnique); err != nil {
		return err
	}
	return checkArgument("reducer", o.reducer, protocol.MaxReducer)
}

// checkFunction finds names that the protocol cannot carry.
func checkFunction(name string) error {
	if name == "" {
		return errors.New("a function has a name")
	}
	return checkArgument("function name", name, protocol.MaxArg-1)
}

func checkArgument(what, text string, limit int) error {
	switch {
	case len(text) > limit:
		return fmt.Errorf("a %s of %d bytes exceeds %d", what, len(text), limit)
	case strings.IndexByte(text, 0) >= 0:
		return fmt.Errorf("a %s cannot hold a NUL byte", what)
	}
	return nil
}
