package disk

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

// slow is a server on a slow disk.
type slow struct {
	server *harness.Server
	book   *judge.Book
	peers  sync.WaitGroup
	over   atomic.Bool // peers are to end
	end    time.Time   // and none waits longer for the server to read

	acked, echoed, asked, called latencies
	flooded                      atomic.Int64 // bytes that were sent to the server without waiting for answers
	held                         atomic.Int64 // how often it took no more of them for a while
}

// latencies are how long something took.
type latencies struct {
	mu  sync.Mutex
	all []time.Duration
}

func (l *latencies) since(t time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, time.Since(t))
}

// at returns the latency that so many of a thousand do not exceed.
func (l *latencies) at(perMille int) time.Duration {
	slices.Sort(l.all)
	if len(l.all) == 0 {
		return 0
	}
	return l.all[(len(l.all)-1)*perMille/1000].Round(10 * time.Microsecond)
}

// during has all peers at work for a while.
func (s *slow) during(t *testing.T, d time.Duration) {
	t.Helper()
	s.end = time.Now().Add(d)
	for i := range 4 {
		s.start(t, func() error { return s.submit(i) })
		s.start(t, func() error { return s.flood(i) })
	}
	s.start(t, s.echo)
	s.start(t, s.ask)
	s.start(t, s.call)
	time.Sleep(d) // this is the length of the test
	s.over.Store(true)
}

func (s *slow) start(t *testing.T, peer func() error) {
	s.peers.Go(func() {
		if err := peer(); err != nil {
			t.Error(err)
		}
	})
}

// pace lets peers that ask again and again leave something of the machine to
// others.
func (s *slow) pace(f func() error) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for ; !s.over.Load(); <-tick.C {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

// submit submits background jobs, one after the other.
func (s *slow) submit(number int) error {
	c, err := s.book.Client(s.server.Addr)
	if err != nil {
		return err
	}
	defer c.Close()
	for n := 0; !s.over.Load(); n++ {
		token := fmt.Sprintf("s%d-%d", number, n)
		began := time.Now()
		c.Submit(&judge.Job{Token: token, Type: protocol.SubmitJobBG, Function: filling, Payload: token + "|"})
		if _, err := c.Answer(); err != nil {
			return err
		}
		s.acked.since(began)
	}
	return nil
}

// flood writes background jobs as fast as the server reads them, and reads no
// answer.
func (s *slow) flood(number int) error {
	c, err := s.book.Client(s.server.Addr)
	if err != nil {
		return err
	}
	defer c.Close()
	payload := "|" + strings.Repeat("x", 64<<10)
	c.Conn.SetWriteDeadline(s.end)
	for n := 0; !s.over.Load(); n++ {
		token, began := fmt.Sprintf("f%d-%d", number, n), time.Now()
		c.Submit(&judge.Job{Token: token, Type: protocol.SubmitJobBG, Function: "flood", Payload: token + payload})
		err := c.Flush()
		if time.Since(began) > 100*time.Millisecond {
			s.held.Add(1)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil // at the end, it still took no more
		} else if err != nil {
			return err
		}
		s.flooded.Add(int64(len(payload)))
	}
	return nil
}

// echo asks for an ECHO again and again.
func (s *slow) echo() error {
	return s.repeat(&s.echoed, func(l *judge.Line) error {
		_, err := l.Ask(protocol.EchoRes, protocol.EchoReq, "there?")
		return err
	})
}

// ask asks for the status again and again.
func (s *slow) ask() error {
	return s.repeat(&s.asked, func(l *judge.Line) error {
		_, err := l.List("status")
		return err
	})
}

// repeat measures how long it takes to be answered.
func (s *slow) repeat(took *latencies, question func(*judge.Line) error) error {
	l, err := judge.Dial(s.server.Addr)
	if err != nil {
		return err
	}
	defer l.Close()
	return s.pace(func() error {
		defer took.since(time.Now())
		return question(l)
	})
}

// call has foreground jobs done.
func (s *slow) call() error {
	c, err := s.book.Client(s.server.Addr)
	if err != nil {
		return err
	}
	defer c.Close()
	w, err := s.book.Worker(s.server.Addr, calling)
	if err != nil {
		return err
	}
	defer w.Close()
	n := 0
	return s.pace(func() error {
		n++
		began := time.Now()
		defer s.called.since(began)
		return oneCall(c, w, fmt.Sprintf("call-%d", n))
	})
}

func oneCall(c *judge.Client, w *judge.Worker, token string) error {
	c.Submit(&judge.Job{Token: token, Type: protocol.SubmitJob, Function: calling, Payload: token + "|"})
	handle, err := c.Answer()
	if err != nil {
		return fmt.Errorf("a call was answered with %w", err)
	}
	a, err := w.Grab()
	if err != nil || a == nil || a.Handle != handle {
		return fmt.Errorf("the worker got %v, %v", a, err)
	}
	w.End(handle, protocol.WorkComplete, "result")
	w.Flush()
	if p, err := c.Receive(); err != nil || p.Type != protocol.WorkComplete {
		return fmt.Errorf("the caller got %v, %v", p, err)
	}
	return nil
}
