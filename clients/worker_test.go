package clients

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gearbolt/protocol"
)

// worker returns a worker that is closed at the end of the test.
func (n *network) worker(slots int, servers ...string) *Worker {
	n.t.Helper()
	w, err := NewWorker(n.config(servers...), slots)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { w.Close() })
	return w
}

func (n *network) start(w *Worker) {
	n.t.Helper()
	if err := w.Start(); err != nil {
		n.t.Fatal(err)
	}
}

func upper(_ context.Context, job *Job) ([]byte, error) {
	return []byte(strings.ToUpper(string(job.Payload))), nil
}

// blocking returns a handler that announces its jobs and waits for word, or for
// the end of its context.
func blocking() (h Handler, began chan *Job, word chan string) {
	began, word = make(chan *Job, 100), make(chan string)
	return func(ctx context.Context, job *Job) ([]byte, error) {
		began <- job
		select {
		case s := <-word:
			return []byte(s), nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}, began, word
}

func TestParkedGrabs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		w := n.worker(2, "a")
		w.Handle("f", upper)
		w.Handle("g", upper)
		n.start(w)
		p := n.acceptWorker(true, "f", "g")
		p.want(protocol.GrabJobAll) // one for each slot
		p.want(protocol.GrabJobAll)
		p.silent()
		p.say(protocol.JobAssignUniq, "H:1", "f", "u", "x\x00y")
		p.want(protocol.WorkComplete, "H:1", "X\x00Y")
		p.want(protocol.GrabJobAll)
		p.silent()
	})
}

func TestParkedGrabsAreTakenBackAtShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		w := n.worker(3, "a")
		h, began, word := blocking()
		w.Handle("f", h)
		n.start(w)
		p := n.acceptWorker(true, "f")
		for range 3 {
			p.want(protocol.GrabJobAll)
		}
		p.say(protocol.JobAssign, "H:1", "f", "")
		<-began
		over := make(chan error)
		go func() { over <- w.Shutdown(bg) }()
		p.want(protocol.PreSleep)
		p.say(protocol.JobAssign, "H:2", "f", "") // was on its way
		p.say(protocol.NoJob)
		<-began
		p.say(protocol.Noop)
		p.silent()
		word <- "one"
		p.want(protocol.WorkComplete, "H:1", "one")
		p.silent()
		word <- "two"
		p.want(protocol.WorkComplete, "H:2", "two")
		p.want(protocol.EchoReq, string(bye))
		p.say(protocol.EchoRes, string(bye))
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
}

func TestAServerWithoutParkedGrabs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		w := n.worker(2, "a")
		h, began, word := blocking()
		w.Handle("f", h)
		n.start(w)
		p := n.acceptWorker(false, "f")
		p.want(protocol.GrabJobAll) // one at a time, while there may be no job
		p.say(protocol.NoJob)
		p.want(protocol.PreSleep)
		p.silent()
		p.say(protocol.Noop)
		p.want(protocol.GrabJobAll)
		p.say(protocol.JobAssignAll, "H:1", "f", "u", "r", "x")
		if j := <-began; j.Unique != "u" || j.Reducer != "r" || j.Handle.ID != "H:1" || string(j.Payload) != "x" {
			t.Errorf("%+v", j)
		}
		p.want(protocol.GrabJobAll)
		p.say(protocol.JobAssign, "H:2", "f", "")
		p.silent() // both slots are taken
		p.say(protocol.Noop)
		p.silent()
		word <- "done"
		m := p.read()
		if m.Type != protocol.WorkComplete {
			t.Errorf("%v", m)
		}
		p.want(protocol.GrabJobAll)
		p.say(protocol.NoJob)
		p.want(protocol.PreSleep)
	})
}

// A server that takes ALL_YOURS for nothing and answers each grab at once.
func TestNoJobForAParkedGrab(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		w := n.worker(3, "a")
		w.Handle("f", upper)
		n.start(w)
		p := n.acceptWorker(true, "f")
		for range 3 {
			p.want(protocol.GrabJobAll)
		}
		for range 3 {
			p.say(protocol.NoJob)
		}
		p.want(protocol.PreSleep)
		p.silent()
		p.say(protocol.Noop)
		p.want(protocol.GrabJobAll)
		p.silent()
	})
}

// The Perl server knows no GRAB_JOB_ALL.
func TestOlderGrabs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		w := n.worker(2, "a")
		w.Handle("f", upper)
		n.start(w)
		p := n.acceptWorker(false, "f")
		p.want(protocol.GrabJobAll)
		p.say(protocol.Error, "unknown_command", "")
		p.want(protocol.GrabJobUniq)
		p.say(protocol.Error, "unknown_command", "")
		p.want(protocol.GrabJob)
		p.say(protocol.NoJob)
		p.want(protocol.PreSleep)
	})
}

func TestSeveralServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		w := n.worker(1, "a", "b")
		h, began, word := blocking()
		w.Handle("f", h)
		n.start(w)
		one, two := n.acceptServed("f"), n.acceptServed("f")
		for _, p := range []*peer{one, two} {
			p.want(protocol.GrabJobAll)
			p.say(protocol.NoJob)
			p.want(protocol.PreSleep)
		}
		one.say(protocol.Noop)
		one.want(protocol.GrabJobAll)
		one.say(protocol.JobAssign, "H:1", "f", "")
		<-began
		two.say(protocol.Noop)
		two.silent() // the only slot is taken
		one.silent()
		word <- "x"
		one.want(protocol.WorkComplete, "H:1", "x")
		two.want(protocol.GrabJobAll) // its turn
		one.silent()
		one.nc.Close()
		two.say(protocol.JobAssign, "H:2", "f", "")
		<-began
		word <- "y"
		two.want(protocol.WorkComplete, "H:2", "y")
	})
}

// acceptServed is acceptWorker for a worker of several servers.
func (n *network) acceptServed(function string) *peer {
	n.t.Helper()
	p := n.accept()
	p.want(protocol.CanDo, function)
	p.want(protocol.EchoReq, string(hello))
	p.say(protocol.EchoRes, string(hello))
	return p
}

func TestSlotsOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		w := n.worker(2, "a")
		h, began, word := blocking()
		w.Handle("f", h)
		w.Handle("one-at-a-time", h, Slots(1))
		n.start(w)
		for range 2 { // each has a connection
			p := n.accept()
			m := p.read()
			p.want(protocol.AllYours)
			p.want(protocol.EchoReq, string(hello))
			p.say(protocol.EchoRes, string(hello))
			p.want(protocol.GrabJobAll)
			if string(m.Body) == "f" {
				p.want(protocol.GrabJobAll)
				continue
			}
			p.silent()
			p.say(protocol.JobAssign, "H:1", "one-at-a-time", "")
			<-began
			p.silent()
			word <- "x"
			p.want(protocol.WorkComplete, "H:1", "x")
			p.want(protocol.GrabJobAll)
		}
	})
}

// A lost server has its jobs' contexts end, and gets no word about them when it
// is back; it is told everything anew.
func TestReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		w := n.worker(1, "a")
		ended := make(chan error, 1)
		w.Handle("f", func(ctx context.Context, j *Job) ([]byte, error) {
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return nil, j.Data([]byte("x"))
		})
		w.Handle("g", upper)
		n.start(w)
		p := n.acceptWorker(true, "f", "g")
		p.want(protocol.GrabJobAll)
		p.say(protocol.JobAssign, "H:1", "f", "x")
		synctest.Wait()
		p.nc.Close()
		if err := <-ended; !errors.Is(err, ErrLost) {
			t.Error(err)
		}
		p = n.acceptWorker(true, "f", "g")
		p.want(protocol.GrabJobAll)
		p.silent()
		p.say(protocol.JobAssign, "H:2", "g", "x")
		p.want(protocol.WorkComplete, "H:2", "X")
	})
}

func TestShutdownThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		w := n.worker(1, "a")
		h, began, _ := blocking()
		w.Handle("f", h)
		n.start(w)
		p := n.acceptWorker(true, "f")
		p.want(protocol.GrabJobAll)
		p.say(protocol.JobAssign, "H:1", "f", "x")
		<-began
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		if err := w.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if m, open := p.tryRead(); open {
			t.Errorf("the server hears %v %q: the job must go to another worker", m.Type, m.Body)
		}
		w.Close()
	})
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		n.away.Store("b:4730", true)
		w := n.worker(1, "a", "b")
		w.Handle("f", upper)
		ctx, cancel := context.WithCancel(bg)
		over := make(chan error)
		go func() { over <- w.Run(ctx) }()
		p := n.acceptServed("f")
		p.want(protocol.GrabJobAll)
		cancel()
		p.silent() // the grab is not answered yet
		p.say(protocol.JobAssign, "H:1", "f", "x")
		p.want(protocol.WorkComplete, "H:1", "X")
		p.want(protocol.EchoReq, string(bye))
		p.say(protocol.EchoRes, string(bye))
		if err := <-over; err != nil {
			t.Error(err)
		}
		if err := w.Start(); !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	})
}

func TestWorkersThatAreNotValid(t *testing.T) {
	for name, handle := range map[string]func(*Worker){
		"no function":    func(*Worker) {},
		"no name":        func(w *Worker) { w.Handle("", upper) },
		"NUL in name":    func(w *Worker) { w.Handle("\x00", upper) },
		"no handler":     func(w *Worker) { w.Handle("f", nil) },
		"twice":          func(w *Worker) { w.Handle("f", upper); w.Handle("f", upper) },
		"negative slots": func(w *Worker) { w.Handle("f", upper, Slots(-1)) },
	} {
		w, err := NewWorker(Config{}, 1)
		if err != nil {
			t.Fatal(err)
		}
		handle(w)
		if err := w.Start(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
		w.Close()
	}
	if _, err := NewWorker(Config{}, 0); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}
