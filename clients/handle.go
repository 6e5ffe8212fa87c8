package clients

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"gearbolt/protocol"
)

// A Handler does a job. What it returns decides the last word about it:
//
//	nil                    WORK_COMPLETE with the bytes returned
//	an [*Exception]        WORK_EXCEPTION with its bytes
//	[ErrFailed]            WORK_FAIL
//	any other error        WORK_EXCEPTION with the error's text
//	a panic                WORK_EXCEPTION that says so; the log has the stack
//
// Errors may be wrapped. ctx ends with the job's time (see [Timeout]), with the
// connection to its server, which then gives the job to another worker, or with
// [Worker.Close]; [context.Cause] tells which. A handler should return then.
type Handler func(ctx context.Context, job *Job) ([]byte, error)

// A HandleOption says something about one function of a worker.
type HandleOption func(*function)

// Slots gives the function n slots of its own: n of its jobs may run at once,
// beside those that the worker's other functions run.
func Slots(n int) HandleOption { return func(f *function) { f.slots = n } }

// Timeout bounds each job: its context ends after d, and the server gives the
// job up or to another worker (CAN_DO_TIMEOUT). Servers count from 1 s upwards,
// and gearmand before 1.1.19 takes its milliseconds for seconds.
func Timeout(d time.Duration) HandleOption { return func(f *function) { f.timeout = d } }

// A function is what a worker can do.
type function struct {
	name    string
	handler Handler
	slots   int // 0: it shares the worker's
	timeout time.Duration
}

func (f *function) check() error {
	err := checkFunction(f.name)
	switch {
	case err != nil:
	case f.handler == nil:
		err = errors.New("a function needs a handler")
	case f.slots < 0 || f.timeout < 0:
		err = errors.New("slots and timeout cannot be negative")
	default:
		return nil
	}
	return fmt.Errorf("clients: handle %q: %w: %w", f.name, ErrInvalid, err)
}

// register appends the packet that tells a server of the function.
func (f *function) register(dst []byte) []byte {
	if f.timeout == 0 {
		return protocol.Append(dst, protocol.Req, protocol.CanDo, []byte(f.name))
	}
	ms := (f.timeout + time.Millisecond - 1) / time.Millisecond
	return protocol.Append(dst, protocol.Req, protocol.CanDoTimeout, []byte(f.name), strconv.AppendInt(nil, int64(ms), 10))
}

// context returns the context of one job.
func (f *function) context(parent context.Context) (context.Context, context.CancelFunc) {
	if f.timeout == 0 {
		return context.WithCancel(parent)
	}
	return context.WithTimeout(parent, f.timeout)
}
