package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gearbolt/protocol"
)

func TestSynchronousCall(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		worker, client := s.worker("reverse"), s.dial()
		client.send(protocol.SubmitJob, "reverse", "u", "abc")
		client.expect(protocol.JobCreated, "H:test:1-1")
		worker.grab("reverse", "H:test:1-1", "abc")
		worker.send(protocol.WorkData, "H:test:1-1", "c")
		client.expect(protocol.WorkData, "H:test:1-1", "c")
		worker.send(protocol.WorkStatus, "H:test:1-1", "1", "3")
		client.expect(protocol.WorkStatus, "H:test:1-1", "1", "3")
		worker.send(protocol.WorkComplete, "H:test:1-1", "cba")
		client.expect(protocol.WorkComplete, "H:test:1-1", "cba")
		if changes, _ := s.store.offered(); s.store.kept() != 0 || changes != 0 {
			t.Error("the store was told of a foreground job")
		}
	})
}

// Requests may arrive in any pieces, and text between them.
func TestRequestsInPieces(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		c := s.dial()
		one := protocol.Append(nil, protocol.Req, protocol.EchoReq, []byte("one"))
		for _, piece := range one {
			c.expectNothing()
			c.write(string([]byte{piece}))
		}
		c.expect(protocol.EchoRes, "one")
		c.write("ver")
		c.expectNothing()
		c.write("sion\r\n" + string(one[:5]))
		c.expectText("OK 9.9\n")
		c.expectNothing()
		c.write(string(one[5:]) + string(one))
		c.expect(protocol.EchoRes, "one")
		c.expect(protocol.EchoRes, "one")
		c.expectNothing()
	})
}

// More requests than are stepped in one visit to the machine, in one piece.
func TestBurstIsAnsweredInOrder(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		c := s.dial()
		var all []byte
		const n = 5*burst + 7
		for i := range n {
			all = protocol.Append(all, protocol.Req, protocol.EchoReq, fmt.Append(nil, i))
		}
		c.write(string(all))
		for i := range n {
			c.expect(protocol.EchoRes, fmt.Sprint(i))
		}
		c.expectNothing()
	})
}

// A packet that is larger than any buffer, and one that arrives behind it in
// the same piece.
func TestLargePacketArrivesWhole(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		c := s.dial()
		big := strings.Repeat("0123456789abcdef", 3<<16)
		c.send(protocol.EchoReq, big)
		c.send(protocol.EchoReq, "behind")
		c.expect(protocol.EchoRes, big)
		c.expect(protocol.EchoRes, "behind")
	})
}

// What a client sent before it closed is done, all of it.
func TestWhatCameBeforeTheCloseIsDone(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		s.store.hold(true)
		c := s.dial()
		for range 3 {
			c.send(protocol.SubmitJobBG, "f", "", "x")
		}
		c.conn.Close()
		s.passes(time.Second)
		s.letGo()
		w := s.awake("f")
		for i := range 3 {
			w.send(protocol.GrabJob)
			w.expect(protocol.JobAssign, fmt.Sprintf("H:test:1-%d", i+1), "f", "x")
		}
		if s.store.kept() != 3 {
			t.Errorf("the store has %d jobs, want 3", s.store.kept())
		}
	})
}

func TestEpochJobFiresOnTimeByItself(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		w, c := s.worker("f"), s.dial()
		c.send(protocol.SubmitJobEpoch, "f", "", fmt.Sprint(time.Now().Unix()+90), "late")
		c.expect(protocol.JobCreated, "H:test:1-1")
		s.passes(90*time.Second - time.Millisecond)
		w.expectNothing()
		s.passes(time.Millisecond)
		w.grab("f", "H:test:1-1", "late")
	})
}

func TestJobTimeout(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		hangs, next, c := s.dial(), s.worker("f"), s.dial()
		hangs.send(protocol.CanDoTimeout, "f", "2000")
		c.send(protocol.SubmitJob, "f", "", "x")
		c.expect(protocol.JobCreated, "H:test:1-1")
		next.expect(protocol.Noop) // and it is slow to come
		hangs.send(protocol.GrabJob)
		hangs.expect(protocol.JobAssign, "H:test:1-1", "f", "x")
		next.send(protocol.GrabJob)
		next.expect(protocol.NoJob)
		next.send(protocol.PreSleep)
		s.passes(2*time.Second - time.Millisecond)
		next.expectNothing()
		s.passes(time.Millisecond)
		next.grab("f", "H:test:1-1", "x")
		hangs.send(protocol.WorkComplete, "H:test:1-1", "too late")
		hangs.expectNothing()
		next.send(protocol.WorkComplete, "H:test:1-1", "done")
		c.expect(protocol.WorkComplete, "H:test:1-1", "done")
		c.expectNothing()
	})
}

// The one timer is moved forward by what is due earlier.
func TestEarlierDeadlineOvertakes(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		c := s.dial()
		var workers []*peer
		for i, timeout := range []string{"100000", "2000"} {
			w := s.dial()
			w.send(protocol.CanDoTimeout, "f", timeout)
			c.send(protocol.SubmitJob, "f", "", "x")
			c.expect(protocol.JobCreated, fmt.Sprintf("H:test:1-%d", i+1))
			w.send(protocol.GrabJob)
			w.expect(protocol.JobAssign, fmt.Sprintf("H:test:1-%d", i+1), "f", "x")
			workers = append(workers, w)
		}
		next := s.worker("f")
		s.passes(2 * time.Second)
		next.grab("f", "H:test:1-2", "x")
		next.send(protocol.PreSleep)
		s.passes(98*time.Second - time.Millisecond)
		next.expectNothing()
		s.passes(time.Millisecond)
		next.grab("f", "H:test:1-1", "x")
		for _, w := range workers {
			w.expectNothing()
		}
	})
}

func TestJobOfALostWorkerRunsAgain(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		first, c := s.worker("f"), s.dial()
		c.send(protocol.SubmitJob, "f", "", "x")
		c.expect(protocol.JobCreated, "H:test:1-1")
		first.grab("f", "H:test:1-1", "x")
		second := s.worker("f")
		first.conn.Close()
		second.grab("f", "H:test:1-1", "x")
	})
}

// Nothing of a timer is left behind by what it was set for.
func TestIdleServerSleeps(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		w, c := s.worker("f"), s.dial()
		s.passes(1000 * time.Hour)
		c.call(w, "f", "H:test:1-1")
		s.passes(1000 * time.Hour)
		c.call(w, "f", "H:test:1-2")
	})
}

// A peer that closes its half has said all that it has to say, and hears all
// that there is to hear: what waits for the store, and what it is slow to read.
func TestHalfClosedPeerIsAnsweredInTheEnd(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		s.store.hold(true)
		c := s.dial()
		long := strings.Repeat("x", 3*windowSize)
		c.send(protocol.SubmitJobBG, "f", "", "x")
		c.send(protocol.EchoReq, long)
		c.conn.CloseWrite()
		c.expectNothing()
		s.letGo()
		c.expect(protocol.JobCreated, "H:test:1-1")
		c.expect(protocol.EchoRes, long)
		c.expectClosed()
	})
}

// But its jobs are not its own any more.
func TestHalfClosedWorkerLosesItsJobs(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		first, second, c := s.worker("f"), s.awake("f"), s.dial()
		c.send(protocol.SubmitJob, "f", "", "x")
		c.expect(protocol.JobCreated, "H:test:1-1")
		first.grab("f", "H:test:1-1", "x")
		second.send(protocol.PreSleep)
		first.conn.CloseWrite()
		second.grab("f", "H:test:1-1", "x")
		first.expectClosed()
	})
}
