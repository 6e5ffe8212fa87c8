package work

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gearbolt/clients"
)

// Options say how jobs are run.
type Options struct {
	Command []string      // the program and its arguments
	Timeout time.Duration // of one job; 0: none
	Grace   time.Duration // between SIGTERM and SIGKILL
	Limit   int           // bytes of a result; what exceeds it is an exception
	Guard   *Guard        // nil: none
}

// A report is what is said about a job while it runs: a *clients.Job.
type report interface {
	Data([]byte) error
	Warning([]byte) error
	Progress(done, of uint64) error
}

// A task is one job to be done.
type task struct {
	function, handle, unique string
	payload                  []byte
	report
}

func taskOf(job *clients.Job) task {
	return task{job.Function, job.Handle.ID, job.Unique, job.Payload, job}
}

// errTime is the cause of a context that ended with a job's time.
var errTime = errors.New("not done in time")

// bounded returns a context that ends with the job's time, too.
func (o *Options) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if o.Timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, o.Timeout, errTime)
}

// ServerTimeout is what to tell the server as a job's time: a little longer than
// it takes to end the job here, for a server would queue it again.
func (o *Options) ServerTimeout() time.Duration {
	if o.Timeout == 0 {
		return 0
	}
	return o.Timeout + o.Grace + stragglers + 5*time.Second
}

// interrupted says why a job was cut short by its context, or returns nil.
func (o *Options) interrupted(ctx context.Context) error {
	switch cause := context.Cause(ctx); {
	case cause == nil:
		return nil
	case errors.Is(cause, errTime):
		return exception("not done in %v", o.Timeout)
	default:
		return cause // the server has given the job to somebody else
	}
}

func exception(format string, args ...any) error {
	return &clients.Exception{Data: fmt.Appendf(nil, format, args...)}
}
