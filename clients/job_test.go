package clients

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"gearbolt/protocol"
)

func TestOutcomes(t *testing.T) {
	var none *Job
	for name, k := range map[string]struct {
		h      Handler
		packet protocol.Type
		args   []string
	}{
		"result":      {upper, protocol.WorkComplete, []string{"H:1", "X"}},
		"nothing":     {func(context.Context, *Job) ([]byte, error) { return nil, nil }, protocol.WorkComplete, []string{"H:1", ""}},
		"fail":        {func(context.Context, *Job) ([]byte, error) { return nil, fmt.Errorf("why: %w", ErrFailed) }, protocol.WorkFail, []string{"H:1"}},
		"error":       {func(context.Context, *Job) ([]byte, error) { return nil, errors.New("no disk") }, protocol.WorkException, []string{"H:1", "no disk"}},
		"exception":   {func(context.Context, *Job) ([]byte, error) { return nil, &Exception{Data: []byte("a\x00b")} }, protocol.WorkException, []string{"H:1", "a\x00b"}},
		"panic":       {func(context.Context, *Job) ([]byte, error) { panic("oh") }, protocol.WorkException, []string{"H:1", "panic: oh"}},
		"nil pointer": {func(context.Context, *Job) ([]byte, error) { return none.Payload, nil }, protocol.WorkException, []string{"H:1", "panic: runtime error: invalid memory address or nil pointer dereference"}},
		"exit":        {func(context.Context, *Job) ([]byte, error) { runtime.Goexit(); return nil, nil }, protocol.WorkException, []string{"H:1", errExited.Error()}},
		"too large": {func(context.Context, *Job) ([]byte, error) { return make([]byte, 64<<20), nil }, protocol.WorkException,
			[]string{"H:1", "a result of 67108864 bytes exceeds the limit of a packet"}},
		"progress": {func(_ context.Context, j *Job) ([]byte, error) { return nil, j.Progress(3, 10) }, protocol.WorkStatus, []string{"H:1", "3", "10"}},
		"data":     {func(_ context.Context, j *Job) ([]byte, error) { return nil, j.Data([]byte("part")) }, protocol.WorkData, []string{"H:1", "part"}},
		"warning":  {func(_ context.Context, j *Job) ([]byte, error) { return nil, j.Warning([]byte("careful")) }, protocol.WorkWarning, []string{"H:1", "careful"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				w := n.worker(1, "a")
				w.Handle("f", k.h)
				n.start(w)
				p := n.acceptWorker(true, "f")
				p.want(protocol.GrabJobAll)
				p.say(protocol.JobAssign, "H:1", "f", "x")
				p.want(k.packet, k.args...)
				if slices.Contains([]protocol.Type{protocol.WorkData, protocol.WorkWarning, protocol.WorkStatus}, k.packet) {
					p.want(protocol.WorkComplete, "H:1", "")
				}
				p.want(protocol.GrabJobAll) // the slot is free again
			})
		})
	}
}

func TestNothingIsSaidAboutAJobThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		w := n.worker(1, "a")
		var kept *Job
		w.Handle("f", func(_ context.Context, j *Job) ([]byte, error) { kept = j; return nil, nil })
		n.start(w)
		p := n.acceptWorker(true, "f")
		p.want(protocol.GrabJobAll)
		p.say(protocol.JobAssign, "H:1", "f", "x")
		p.want(protocol.WorkComplete, "H:1", "")
		p.want(protocol.GrabJobAll)
		if err := kept.Data([]byte("late")); !errors.Is(err, ErrJobOver) {
			t.Error(err)
		}
		p.silent()
		p.say(protocol.Error, "JOB_NOT_FOUND", "Job given in work result not found") // gearmand, about a late result
		p.say(protocol.JobAssign, "H:2", "f", "x")
		p.want(protocol.WorkComplete, "H:2", "")
	})
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		w := n.worker(1, "a")
		h, _, _ := blocking()
		w.Handle("f", h, Timeout(1500*time.Millisecond))
		n.start(w)
		p := n.accept()
		p.want(protocol.CanDoTimeout, "f", "1500")
		p.want(protocol.AllYours)
		p.want(protocol.EchoReq, string(hello))
		p.say(protocol.EchoRes, string(hello))
		p.want(protocol.GrabJobAll)
		p.say(protocol.JobAssign, "H:1", "f", "x")
		begun := time.Now()
		p.want(protocol.WorkException, "H:1", "context deadline exceeded")
		if took := time.Since(begun); took != 1500*time.Millisecond {
			t.Errorf("after %v", took)
		}
	})
}
