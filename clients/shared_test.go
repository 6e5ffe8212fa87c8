package clients

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"gearbolt/protocol"
)

// events ranges over a stream in a goroutine and hands over what it yields.
func events(ctx context.Context, c *Client, function string, opts ...CallOption) <-chan streamed {
	all := make(chan streamed, 100)
	go func() {
		defer close(all)
		for e, err := range c.Stream(ctx, function, nil, opts...) {
			all <- streamed{e, err}
		}
	}()
	return all
}

type streamed struct {
	Event
	err error
}

// wantEvents checks the events that have come, in short: C created, D data, W
// warning, P progress, R result, each with its data.
func wantEvents(t *testing.T, all <-chan streamed, want ...string) {
	t.Helper()
	synctest.Wait()
	for _, w := range want {
		select {
		case e := <-all:
			if got := "CDWPR"[e.Kind:e.Kind+1] + string(e.Data); e.err != nil || got != w {
				t.Fatalf("the stream yields %q, %v, want %q", got, e.err, w)
			}
		default:
			t.Fatalf("the stream yields nothing, want %q", w)
		}
	}
	if len(all) > 0 {
		t.Fatalf("the stream yields %+v too", <-all)
	}
}

func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a")
		all := events(bg, c, "f")
		p := n.acceptClient()
		p.want(protocol.SubmitJob, "f", "", "")
		wantEvents(t, all)
		p.say(protocol.JobCreated, "H:1")
		p.say(protocol.WorkData, "H:1", "one")
		wantEvents(t, all, "C", "Done")
		p.say(protocol.WorkWarning, "H:1", "careful")
		p.say(protocol.WorkStatus, "H:1", "3", "10")
		p.say(protocol.WorkStatus, "H:1", "50") // Perl's, without the denominator
		synctest.Wait()
		if w := <-all; w.Kind != Warning || string(w.Data) != "careful" {
			t.Errorf("%+v", w)
		}
		if s := <-all; s.Kind != Progress || s.Numerator != 3 || s.Denominator != 10 {
			t.Errorf("%+v", s)
		}
		if s := <-all; s.Kind != Progress || s.Numerator != 50 || s.Denominator != 0 {
			t.Errorf("%+v", s)
		}
		p.say(protocol.WorkData, "H:1") // without the NUL: empty
		p.say(protocol.WorkComplete, "H:1", "done")
		wantEvents(t, all, "D", "Rdone")
		if _, open := <-all; open {
			t.Error("the stream does not end")
		}
	})
}

func TestStreamThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a")
		all := events(bg, c, "f")
		p := n.acceptClient()
		p.want(protocol.SubmitJob, "f", "", "")
		p.say(protocol.JobCreated, "H:1")
		p.say(protocol.WorkData, "H:1", "one")
		p.say(protocol.WorkException, "H:1", "boom")
		wantEvents2 := []string{"C", "Done"}
		for _, w := range wantEvents2 {
			e := <-all
			if got := "CDWPR"[e.Kind:e.Kind+1] + string(e.Data); got != w {
				t.Errorf("%q, want %q", got, w)
			}
		}
		last := <-all
		result{err: last.err}.fails(t, last.err, true)
		if last.err.Error() != "clients: stream f at a:4730 (H:1): exception: boom" {
			t.Errorf("%v", last.err)
		}
	})
}

func TestStreamIsLeftEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a")
		left := make(chan bool)
		go func() {
			for range c.Stream(bg, "f", nil) {
				break
			}
			close(left)
		}()
		p := n.acceptClient()
		p.want(protocol.SubmitJob, "f", "", "")
		p.say(protocol.JobCreated, "H:1")
		<-left
		if s := c.servers[0].live.Load(); len(s.jobs) != 0 {
			t.Errorf("left behind: %v", s.jobs)
		}
		p.say(protocol.WorkData, "H:1", "unheard")
		p.say(protocol.WorkComplete, "H:1", "unheard")
	})
}

// A reader that falls too far behind loses its stream; others go on.
func TestStreamOverrun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a")
		stuck, end := make(chan bool), make(chan error, 1)
		go func() {
			for e, err := range c.Stream(bg, "f", nil) {
				if e.Kind == Created && err == nil {
					<-stuck
				}
				if err != nil {
					end <- err
				}
			}
		}()
		p := n.acceptClient()
		p.want(protocol.SubmitJob, "f", "", "")
		p.say(protocol.JobCreated, "H:1")
		synctest.Wait()
		chunk := string(make([]byte, 1<<20))
		for range streamLimit >> 20 {
			p.say(protocol.WorkData, "H:1", chunk)
		}
		other := goCall(bg, c, "g", "")
		p.want(protocol.SubmitJob, "g", "", "")
		p.say(protocol.JobCreated, "H:2")
		p.say(protocol.WorkComplete, "H:2", "fine")
		(<-other).want(t, "fine")
		close(stuck)
		result{err: <-end}.fails(t, ErrOverrun, true)
	})
}

// Calls with one unique id on one connection share a handle; the server sends
// every report once for each of them.
func TestCallsThatShareAJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		c := n.client("a")
		first := events(bg, c, "f", Unique("u"))
		p := n.acceptClient()
		p.want(protocol.SubmitJob, "f", "u", "")
		p.say(protocol.JobCreated, "H:1")
		p.say(protocol.WorkData, "H:1", "one")
		wantEvents(t, first, "C", "Done")

		ctx, cancel := context.WithCancel(bg)
		gone := events(ctx, c, "f", Unique("u"))
		p.want(protocol.SubmitJob, "f", "u", "")
		p.say(protocol.JobCreated, "H:1")
		late, stop := context.WithTimeout(bg, time.Second)
		defer stop()
		ghost := goCall(late, c, "f", "", Unique("u"))
		p.want(protocol.SubmitJob, "f", "u", "")
		(<-ghost).fails(t, context.DeadlineExceeded, true)
		p.say(protocol.JobCreated, "H:1")
		last := goCall(bg, c, "f", "", Unique("u"))
		p.want(protocol.SubmitJob, "f", "u", "")
		p.say(protocol.JobCreated, "H:1")

		for range 4 {
			p.say(protocol.WorkData, "H:1", "two")
		}
		wantEvents(t, gone, "C", "Dtwo")
		wantEvents(t, first, "Dtwo")
		cancel()
		for range 4 {
			p.say(protocol.WorkData, "H:1", "three")
		}
		wantEvents(t, first, "Dthree")
		for range 4 {
			p.say(protocol.WorkComplete, "H:1", "done")
		}
		wantEvents(t, first, "Rdone")
		(<-last).want(t, "done")
	})
}
