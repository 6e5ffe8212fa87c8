package clients

import (
	"errors"
	"fmt"
	"strings"

	"gearbolt/protocol"
)

// What can become of a call that gets no result, and what a program can do
// about it. Test for them with [errors.Is]; the error itself is an [*Error].
var (
	// ErrFailed: the worker said that the function failed (WORK_FAIL), or the
	// server gave the job up. A handler returns it to say just that.
	ErrFailed = errors.New("the function failed")

	// ErrQueueFull: the server has as many jobs as it may keep. Nothing was
	// queued; later it may have room.
	ErrQueueFull = errors.New("the queue is full")

	// ErrNoServer: no server could be reached. The job was not sent.
	ErrNoServer = errors.New("no server can be reached")

	// ErrLost: the connection was lost after the job was sent and before its
	// end was known. It may have run, may run, or may never run. A call whose
	// function may run twice, or that has a unique id, can be tried again.
	ErrLost = errors.New("the connection was lost")

	// ErrClosed: the client or the worker is closed.
	ErrClosed = errors.New("closed")

	// ErrOverrun: the reader of a stream was so slow that too much waited for
	// it, and it was given up. The job goes on.
	ErrOverrun = errors.New("the stream is not read fast enough")

	// ErrInvalid: the call cannot be expressed, and nothing was sent.
	ErrInvalid = errors.New("not a valid call")

	// ErrJobOver: something was to be sent about a job that has ended.
	ErrJobOver = errors.New("the job is over")
)

// An Exception is what a function raised (WORK_EXCEPTION). A call fails with
// one, which [errors.As] finds; a handler returns one to raise it.
type Exception struct {
	Data []byte // as the worker sent it
}

func (e *Exception) Error() string { return "exception: " + string(e.Data) }

// A ServerError is a server's own word (ERROR) that it did not do what it was
// asked to. One with the code QUEUE_ERROR is [ErrQueueFull] as well.
type ServerError struct {
	Code string // for programs, such as QUEUE_ERROR
	Text string // for people
}

func (e *ServerError) Error() string { return "the server says " + e.Code + ": " + e.Text }

// Is makes the refusal to queue a job [ErrQueueFull].
func (e *ServerError) Is(target error) bool {
	return target == ErrQueueFull && e.Code == string(protocol.QueueError)
}

// elsewhere reports whether another server may well take what this one refused:
// it is shutting down, or its disk is full. Its queue being full, which some
// servers explain behind the text, is policy.
func (e *ServerError) elsewhere() bool {
	return e.Code == string(protocol.QueueError) && !strings.HasPrefix(e.Text, protocol.TextQueueFull)
}

// readServerError reads the body of an ERROR packet.
func readServerError(body []byte) *ServerError {
	code, text, _ := strings.Cut(string(body), "\x00")
	return &ServerError{Code: code, Text: strings.TrimRight(text, "\x00")}
}

// An Error is how a call ended without a result.
type Error struct {
	Op       string // "call", "submit", "stream", "status" or "echo"
	Function string // or the job asked about
	Server   string // the last one tried; "" when none was
	Handle   string // of the job; "" when the server has not said it
	Sent     bool   // a server may have the job; false: certainly none has
	Err      error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("clients: " + e.Op)
	if e.Function != "" {
		b.WriteString(" " + e.Function)
	}
	if e.Server != "" {
		b.WriteString(" at " + e.Server)
	}
	if e.Handle != "" {
		b.WriteString(" (" + e.Handle + ")")
	}
	return b.String() + ": " + e.Err.Error()
}

// Unwrap returns what went wrong.
func (e *Error) Unwrap() error { return e.Err }

// unsent marks what went wrong before a server had taken the request: another
// server, or the same one again, may be asked.
type unsent struct {
	err     error
	reached bool // there was a server, and it may be back at once
}

func (u unsent) Error() string { return u.err.Error() }
func (u unsent) Unwrap() error { return u.err }

// asUnsent finds the mark.
func asUnsent(err error) (u unsent, ok bool) {
	ok = err != nil && errors.As(err, &u)
	return u, ok
}

func joined(kind, cause error) error { return fmt.Errorf("%w: %w", kind, cause) }
