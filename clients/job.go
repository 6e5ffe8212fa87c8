package clients

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"

	"gearbolt/protocol"
)

// A Job is what a [Handler] is to do. Its fields, and the payload's bytes, are
// the handler's. Its methods may be used by several goroutines, until the
// handler returns.
type Job struct {
	Function string
	Handle   Handle
	Unique   string // "" when the client gave none
	Reducer  string // "" when the client named none
	Payload  []byte

	lane *lane
	over bool // guarded by the link's lock
}

// Data sends a part of the result ahead (WORK_DATA).
func (j *Job) Data(b []byte) error { return j.say(protocol.WorkData, b) }

// Warning sends a warning (WORK_WARNING).
func (j *Job) Warning(b []byte) error { return j.say(protocol.WorkWarning, b) }

// Progress says that numerator of denominator are done (WORK_STATUS).
func (j *Job) Progress(numerator, denominator uint64) error {
	b := strconv.AppendUint(make([]byte, 0, 48), numerator, 10)
	return j.say(protocol.WorkStatus, strconv.AppendUint(append(b, 0), denominator, 10))
}

// say sends a word about the job while it runs. It waits while too much waits
// to be written.
func (j *Job) say(t protocol.Type, data []byte) error {
	if len(j.Handle.ID)+1+len(data) > j.lane.pool.worker.cfg.PacketLimit {
		return fmt.Errorf("clients: %w: %d bytes of data exceed the limit of a packet", ErrInvalid, len(data))
	}
	if err := j.lane.begin(context.Background()); err != nil { // the end of the link ends the wait
		return joined(ErrLost, err)
	}
	defer j.lane.end()
	if j.over {
		return ErrJobOver
	}
	j.lane.out = j.append(j.lane.out, t, data)
	return nil
}

// finish sends the last word.
func (j *Job) finish(t protocol.Type, data []byte) {
	if size := len(j.Handle.ID) + 1 + len(data); size > j.lane.pool.worker.cfg.PacketLimit {
		t, data = protocol.WorkException, fmt.Appendf(nil, "a result of %d bytes exceeds the limit of a packet", len(data))
	}
	if j.lane.begin(j.lane.ctx) != nil {
		return // the server has given the job to somebody else
	}
	j.over = true
	j.lane.out = j.append(j.lane.out, t, data)
	j.lane.end()
}

// append appends a packet about the job.
func (j *Job) append(dst []byte, t protocol.Type, data []byte) []byte {
	start := len(dst)
	dst = append(protocol.AppendHeader(dst, protocol.Req, t, 0), j.Handle.ID...)
	if t != protocol.WorkFail {
		dst = append(append(dst, 0), data...)
	}
	return protocol.FinishPacket(dst, start)
}

// lastWord says what a handler's return means.
func lastWord(data []byte, err error) (protocol.Type, []byte) {
	var e *Exception
	switch {
	case err == nil:
		return protocol.WorkComplete, data
	case errors.As(err, &e):
		return protocol.WorkException, e.Data
	case errors.Is(err, ErrFailed):
		return protocol.WorkFail, nil
	}
	return protocol.WorkException, []byte(err.Error())
}

// errExited is the error of a handler that ended its goroutine.
var errExited = errors.New("the handler ended without a result")

// run does the job. Whatever the handler does, the job ends with a word, and
// its slot is free again.
func (j *Job) run(f *function) {
	ctx, cancel := f.context(j.lane.ctx)
	t, data := lastWord(nil, errExited)
	defer func() {
		if p := recover(); p != nil {
			t, data = lastWord(nil, fmt.Errorf("panic: %v", p))
			j.lane.log().Error("gearman: handler panicked", "function", j.Function, "job", j.Handle.ID, "panic", p, "stack", string(debug.Stack()))
		}
		cancel()
		j.finish(t, data)
		j.lane.jobDone()
	}()
	t, data = lastWord(f.handler(ctx, j)) // which calls methods of the handler's error
}
