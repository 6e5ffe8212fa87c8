package clients

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gearbolt/protocol"
)

// logging makes a worker's log readable. Read it when the worker is closed.
func (n *network) logging(servers ...string) (*Worker, *bytes.Buffer) {
	n.t.Helper()
	var log bytes.Buffer
	config := n.config(servers...)
	config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	w, err := NewWorker(config, 1)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { w.Close() })
	return w, &log
}

// A server that takes no more connections, or no more functions, says so before
// it closes. The worker tells that, and comes back ever more slowly.
func TestAWorkerIsTurnedAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		w, log := n.logging("a")
		w.Handle("f", upper)
		n.away.Store("a:4730", true)
		n.start(w)
		time.Sleep(time.Second)
		n.away.Delete("a:4730")
		begun := time.Now()
		for range 10 {
			p := n.accept()
			p.listen()
			p.say(protocol.Error, "QUEUE_ERROR", "Too many functions: max-functions is reached")
			synctest.Wait() // the reason is read before a write fails
			p.nc.Close()
		}
		if took := time.Since(begun); took < 20*time.Second {
			t.Errorf("ten attempts in %v", took)
		}
		w.Close()
		if told := strings.Count(log.String(), "Too many functions: max-functions is reached"); told != 1 {
			t.Errorf("the reason was told %d times:\n%s", told, log)
		}
	})
}

// A server that closes each connection soon after its first word, whatever the
// reason, is not tried in haste.
func TestConnectionsThatDoNotLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		w := n.worker(1, "a")
		w.Handle("f", upper)
		n.start(w)
		begun := time.Now()
		for range 10 {
			p := n.acceptWorker(true, "f")
			p.want(protocol.GrabJobAll)
			p.nc.Close()
		}
		if took := time.Since(begun); took < 5*time.Second {
			t.Errorf("ten attempts in %v", took)
		}
		p := n.acceptWorker(true, "f")
		time.Sleep(20 * time.Second)
		begun = time.Now()
		p.nc.Close()
		n.acceptWorker(true, "f")
		if took := time.Since(begun); took > 50*time.Millisecond {
			t.Errorf("one that has lasted is replaced after %v", took)
		}
	})
}

// What a handler returns may itself be broken.
func TestBrokenErrors(t *testing.T) {
	for name, broken := range map[string]error{"nil exception": (*Exception)(nil), "nil error": (*Error)(nil)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				w := n.worker(1, "a")
				w.Handle("f", func(context.Context, *Job) ([]byte, error) { return nil, broken })
				n.start(w)
				p := n.acceptWorker(true, "f")
				p.want(protocol.GrabJobAll)
				p.say(protocol.JobAssign, "H:1", "f", "x")
				if m := p.read(); m.Type != protocol.WorkException || !bytes.HasPrefix(m.Body, []byte("H:1\x00panic: ")) {
					t.Errorf("the worker says %v %q", m.Type, m.Body)
				}
				p.want(protocol.GrabJobAll) // the slot is free again
			})
		})
	}
}

// Between the loss of a connection and the end of its jobs' contexts, too, an
// error says what happened.
func TestAWordOnALostConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		w := n.worker(1, "a")
		said := make(chan error, 1)
		w.Handle("f", func(_ context.Context, job *Job) ([]byte, error) {
			job.lane.fail(errSilent)
			said <- job.Data([]byte("part"))
			return nil, nil
		})
		n.start(w)
		p := n.acceptWorker(true, "f")
		p.want(protocol.GrabJobAll)
		p.say(protocol.JobAssign, "H:1", "f", "x")
		if err := <-said; !errors.Is(err, ErrLost) || !errors.Is(err, errSilent) {
			t.Errorf("the job hears %v", err)
		}
	})
}

// ERROR in place of NO_JOB, with a grab of another kind before it that brought
// nothing: the worker asks again.
func TestAnErrorBetweenGrabs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		w := n.worker(3, "a")
		h, began, word := blocking()
		w.Handle("f", h)
		n.start(w)
		p := n.acceptWorker(false, "f")
		p.want(protocol.GrabJobAll)
		p.say(protocol.JobAssign, "H:1", "f", "x")
		<-began
		p.want(protocol.GrabJobAll)
		p.want(protocol.GrabJobAll)
		p.say(protocol.NoJob)
		p.say(protocol.Error, "INVALID_COMMAND", "Command not expected")
		p.want(protocol.GrabJobUniq)
		word <- "done"
		p.want(protocol.WorkComplete, "H:1", "done")
	})
}

// Who asks several servers hears which of them does not answer.
func TestHealthNamesTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		n.away.Store("b:4730", true)
		for _, h := range n.client("b").Health(bg) {
			if e := new(Error); !errors.As(h.Err, &e) || e.Server != "b:4730" {
				t.Errorf("got %v", h.Err)
			}
		}
	})
}
