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

var bg = context.Background()

func TestCallsShareOneConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a")
		one := goCall(bg, c, "f", "1")
		p := n.acceptClient()
		p.want(protocol.SubmitJob, "f", "", "1")
		two := goCall(bg, c, "g", "2", Priority(High), Unique("u"))
		p.want(protocol.SubmitJobHigh, "g", "u", "2")
		three := goCall(bg, c, "h", "3", Priority(Low))
		p.want(protocol.SubmitJobLow, "h", "", "3")
		p.say(protocol.JobCreated, "H:1")
		p.say(protocol.JobCreated, "H:2")
		p.say(protocol.WorkComplete, "H:2", "two")
		(<-two).want(t, "two")
		p.say(protocol.JobCreated, "H:3")
		p.say(protocol.WorkComplete, "H:3", "")
		p.say(protocol.WorkComplete, "H:1", "one\x00one")
		(<-three).want(t, "")
		(<-one).want(t, "one\x00one")
	})
}

func TestSubmissionPackets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a")
		var p *peer
		for _, k := range []struct {
			opts   []CallOption
			packet protocol.Type
			args   []string
		}{
			{nil, protocol.SubmitJobBG, []string{"f", "", "x"}},
			{[]CallOption{Priority(High)}, protocol.SubmitJobHighBG, []string{"f", "", "x"}},
			{[]CallOption{Priority(Low), Unique("u")}, protocol.SubmitJobLowBG, []string{"f", "u", "x"}},
			{[]CallOption{At(time.Unix(1234, 5))}, protocol.SubmitJobEpoch, []string{"f", "", "1234", "x"}},
			{[]CallOption{Reducer("r"), Unique("u")}, protocol.SubmitReduceJobBG, []string{"f", "u", "r", "", "x"}},
		} {
			done := make(chan Handle)
			go func() {
				h, err := c.Submit(bg, "f", []byte("x"), k.opts...)
				if err != nil {
					t.Error(err)
				}
				done <- h
			}()
			if p == nil {
				p = n.acceptClient()
			}
			p.want(k.packet, k.args...)
			p.say(protocol.JobCreated, "H:7")
			if h := <-done; h != (Handle{"a:4730", "H:7"}) || h.String() != "a:4730//H:7" || ParseHandle(h.String()) != h {
				t.Errorf("the handle is %#v", h)
			}
		}
		done := goCall(bg, c, "f", "x", Reducer("r"))
		p.want(protocol.SubmitReduceJob, "f", "", "r", "", "x")
		p.say(protocol.JobCreated, "H:8")
		p.say(protocol.WorkComplete, "H:8", "y")
		(<-done).want(t, "y")
	})
}

func TestCallsThatAreNotValid(t *testing.T) {
	c, err := NewClient(Config{PacketLimit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for name, k := range map[string]func() error{
		"no name":           func() error { _, err := c.Call(bg, "", nil); return err },
		"NUL in name":       func() error { _, err := c.Call(bg, "a\x00b", nil); return err },
		"long name":         func() error { _, err := c.Call(bg, strings.Repeat("x", 8192), nil); return err },
		"long unique":       func() error { _, err := c.Call(bg, "f", nil, Unique(strings.Repeat("x", 65))); return err },
		"NUL in reducer":    func() error { _, err := c.Call(bg, "f", nil, Reducer("\x00")); return err },
		"call later":        func() error { _, err := c.Call(bg, "f", nil, At(time.Now())); return err },
		"later and reduce":  func() error { _, err := c.Submit(bg, "f", nil, At(time.Now()), Reducer("r")); return err },
		"later and high":    func() error { _, err := c.Submit(bg, "f", nil, At(time.Now()), Priority(High)); return err },
		"no such level":     func() error { _, err := c.Submit(bg, "f", nil, Priority(9)); return err },
		"large":             func() error { _, err := c.Call(bg, "f", make([]byte, 1000)); return err },
		"large echo":        func() error { _, err := c.Echo(bg, make([]byte, 1001)); return err },
		"long handle":       func() error { _, err := c.Status(bg, Handle{ID: strings.Repeat("x", 64)}); return err },
		"long status id":    func() error { _, err := c.StatusUnique(bg, strings.Repeat("x", 65)); return err },
		"cannot be encoded": func() error { _, err := (Function[func(), int]{Name: "f"}).Call(bg, c, nil); return err },
	} {
		var e *Error
		if err := k(); !errors.Is(err, ErrInvalid) || !errors.As(err, &e) || e.Sent {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHowCallsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a")
		failed := goCall(bg, c, "f", "")
		p := n.acceptClient()
		p.want(protocol.SubmitJob, "f", "", "")
		p.say(protocol.JobCreated, "H:1")
		p.say(protocol.WorkFail, "H:1\x00") // gearmand's, with a NUL
		(<-failed).fails(t, ErrFailed, true)

		raised := goCall(bg, c, "f", "")
		p.want(protocol.SubmitJob, "f", "", "")
		p.say(protocol.JobCreated, "H:2")
		p.say(protocol.WorkException, "H:2", "bo\x00om")
		p.say(protocol.WorkFail, "H:2") // some workers send both
		var e *Exception
		if err := (<-raised).err; !errors.As(err, &e) || string(e.Data) != "bo\x00om" {
			t.Errorf("the call returned %v", err)
		}

		full := goCall(bg, c, "f", "")
		p.want(protocol.SubmitJob, "f", "", "")
		p.say(protocol.Error, "QUEUE_ERROR", "Job queue is full")
		(<-full).fails(t, ErrQueueFull, false)

		refused := goCall(bg, c, "f", "")
		p.want(protocol.SubmitJob, "f", "", "")
		p.say(protocol.Error, "ARGUMENT_TOO_LARGE", "Unique value too large")
		r := <-refused
		var s *ServerError
		if !errors.As(r.err, &s) || s.Code != "ARGUMENT_TOO_LARGE" || errors.Is(r.err, ErrQueueFull) {
			t.Errorf("the call returned %v", r.err)
		}
		want := "clients: call f at a:4730: the server says ARGUMENT_TOO_LARGE: Unique value too large"
		if r.err.Error() != want {
			t.Errorf("the error reads %q, want %q", r.err, want)
		}
	})
}

// Whoever leaves before JOB_CREATED must not leave it to the next one.
func TestALateReplyIsNotTheNextCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a")
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		late := goCall(ctx, c, "slow", "")
		p := n.acceptClient()
		p.want(protocol.SubmitJob, "slow", "", "")
		r := <-late
		r.fails(t, context.DeadlineExceeded, true)
		next := goCall(bg, c, "next", "")
		p.want(protocol.SubmitJob, "next", "", "")
		p.say(protocol.JobCreated, "H:slow")
		p.say(protocol.JobCreated, "H:next")
		p.say(protocol.WorkComplete, "H:slow", "slow")
		p.say(protocol.WorkComplete, "H:next", "next")
		(<-next).want(t, "next")
	})
}

func TestCancellingFreesEverythingAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a")
		ctx, cancel := context.WithCancel(bg)
		running := goCall(ctx, c, "f", "")
		p := n.acceptClient()
		p.want(protocol.SubmitJob, "f", "", "")
		p.say(protocol.JobCreated, "H:1")
		synctest.Wait()
		begun := time.Now()
		cancel()
		r := <-running
		r.fails(t, context.Canceled, true)
		var e *Error
		if errors.As(r.err, &e); e.Handle != "H:1" || time.Since(begun) != 0 {
			t.Errorf("after %v: %+v", time.Since(begun), e)
		}
		s := c.servers[0].live.Load()
		if len(s.jobs) != 0 || len(s.replies.owed) != 0 {
			t.Errorf("left behind: %v, %v", s.jobs, s.replies)
		}
		p.say(protocol.WorkComplete, "H:1", "nobody cares")
		(<-goCall(ctx, c, "f", "")).fails(t, context.Canceled, false)
	})
}

func TestAConnectionLostAfterSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a")
		waiting, created := goCall(bg, c, "f", "1"), make(chan result)
		p := n.acceptClient()
		p.want(protocol.SubmitJob, "f", "", "1")
		go func() {
			_, err := c.Submit(bg, "g", nil)
			created <- result{err: err}
		}()
		p.want(protocol.SubmitJobBG, "g", "", "")
		p.say(protocol.JobCreated, "H:1")
		synctest.Wait()
		p.nc.Close()
		(<-waiting).fails(t, ErrLost, true)
		(<-created).fails(t, ErrLost, true)

		again := goCall(bg, c, "f", "2")
		p = n.acceptClient()
		p.want(protocol.SubmitJob, "f", "", "2")
		p.say(protocol.JobCreated, "H:1")
		p.say(protocol.WorkComplete, "H:1", "back")
		(<-again).want(t, "back")
	})
}

// A request of which the server cannot have all bytes was not sent: it goes to
// the next server, or to the same one again.
func TestAConnectionLostWhileSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a")
		call := goCall(bg, c, "f", strings.Repeat("x", 1000))
		p := n.acceptClient()
		half := make([]byte, 500)
		if _, err := p.nc.Read(half); err != nil {
			t.Fatal(err)
		}
		p.nc.Close()
		p = n.acceptClient()
		p.want(protocol.SubmitJob, "f", "", strings.Repeat("x", 1000))
		p.say(protocol.JobCreated, "H:1")
		p.say(protocol.WorkComplete, "H:1", "y")
		(<-call).want(t, "y")
	})
}

func TestRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a")
		call := goCall(bg, c, "f", "", Unique("u"), Retry(1))
		for range 2 {
			p := n.acceptClient()
			p.want(protocol.SubmitJob, "f", "u", "")
			p.nc.Close()
		}
		(<-call).fails(t, ErrLost, true)
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a", "b")
		n.away.Store("b:4730", true)
		sent := goCall(bg, c, "f", "")
		p := n.acceptClient()
		p.want(protocol.SubmitJob, "f", "", "")
		if _, err := c.servers[1].session(bg); !errors.Is(err, errRefused) {
			t.Errorf("b is not away: %v", err)
		}
		c.Close()
		r := <-sent
		r.fails(t, ErrLost, true)
		r.fails(t, ErrClosed, true)
		(<-goCall(bg, c, "f", "")).fails(t, ErrClosed, false)
		c.Close()
	})
}
