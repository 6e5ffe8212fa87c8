package server

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gearbolt/protocol"
	"gearbolt/router"
)

// ending calls Shutdown, which ends after at most limit.
func (s *stage) ending(limit time.Duration) (ended func() bool) {
	result := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		result <- s.server.Shutdown(ctx)
	}()
	return func() bool {
		s.t.Helper()
		synctest.Wait()
		select {
		case err := <-result:
			if err != nil {
				s.t.Errorf("Shutdown: %v", err)
			}
			return true
		default:
			return false
		}
	}
}

func TestShutdownLetsRunningJobsFinish(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		w, idle, c := s.worker("f"), s.awake("f"), s.dial()
		c.send(protocol.SubmitJob, "f", "", "runs")
		c.expect(protocol.JobCreated, "H:test:1-1")
		w.grab("f", "H:test:1-1", "runs")
		c.send(protocol.SubmitJobBG, "f", "", "waits")
		c.expect(protocol.JobCreated, "H:test:1-2")
		ended := s.ending(time.Minute)
		if ended() {
			t.Fatal("the server ended while a job ran")
		}
		if s.listener.dial(tcpAddr("10.0.0.9", 9)) != nil {
			t.Error("the server still accepts connections")
		}
		idle.send(protocol.GrabJob)
		idle.expect(protocol.NoJob)
		idle.send(protocol.PreSleep)
		c.send(protocol.SubmitJob, "f", "", "too late")
		c.expect(protocol.Error, "QUEUE_ERROR", "The server is shutting down")
		c.send(protocol.SubmitJobBG, "f", "", "for next time")
		c.expect(protocol.JobCreated, "H:test:1-3")
		idle.expectNothing()
		s.passes(30 * time.Second)
		if ended() {
			t.Fatal("the server ended while a job ran")
		}
		w.send(protocol.WorkComplete, "H:test:1-1", "done")
		if !ended() {
			t.Error("nothing runs, and the server does not end")
		}
		c.expect(protocol.WorkComplete, "H:test:1-1", "done")
		c.expectClosed()
		w.expectClosed()
		if !s.done() || s.store.kept() != 2 {
			t.Errorf("%d jobs are in the store, want 2", s.store.kept())
		}
	})
}

func TestShutdownWaitsForTheStore(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		s.store.hold(true)
		c := s.dial()
		c.send(protocol.SubmitJobBG, "f", "", "1")
		c.expectNothing()
		c.send(protocol.SubmitJobBG, "f", "", "2")
		c.expectNothing()
		ended := s.ending(time.Minute)
		s.answer(nil)
		c.expect(protocol.JobCreated, "H:test:1-1")
		if ended() {
			t.Error("the server ended while a job was being stored")
		}
		s.answer(nil)
		if !ended() {
			t.Error("all is stored, and the server does not end")
		}
		c.expect(protocol.JobCreated, "H:test:1-2")
		c.expectClosed()
	})
}

func TestShutdownDeadline(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		w, c := s.worker("f"), s.dial()
		c.send(protocol.SubmitJobBG, "f", "", "hangs")
		c.expect(protocol.JobCreated, "H:test:1-1")
		w.grab("f", "H:test:1-1", "hangs")
		ended := s.ending(10 * time.Second)
		s.passes(10*time.Second - time.Nanosecond)
		if ended() {
			t.Error("the server ended before the deadline")
		}
		s.passes(time.Nanosecond)
		if !ended() || s.logged("jobs still run") != 1 {
			t.Error("the server did not end at the deadline, with a line about the jobs that run")
		}
		if s.store.kept() != 1 {
			t.Error("the job that ran is not in the store")
		}
	})
}

// A peer that does not read its last words does not keep the server from
// ending, but has until the deadline.
func TestShutdownWaitsForReadersUntilTheDeadline(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		slow, deaf := s.dial(), s.dial()
		slow.send(protocol.EchoReq, strings.Repeat("x", 3*windowSize))
		deaf.send(protocol.EchoReq, strings.Repeat("x", 3*windowSize))
		s.passes(0)
		ended := s.ending(10 * time.Second)
		s.passes(5 * time.Second)
		slow.expect(protocol.EchoRes, strings.Repeat("x", 3*windowSize))
		s.passes(5*time.Second - time.Nanosecond)
		if ended() {
			t.Error("the server ended before the deadline")
		}
		s.passes(time.Nanosecond)
		if !ended() {
			t.Error("the server did not end at the deadline")
		}
	})
}

func TestDrainEndsWhenNoJobIsLeft(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		w, c := s.awake("f"), s.dial()
		c.send(protocol.SubmitJobBG, "f", "", "1")
		c.expect(protocol.JobCreated, "H:test:1-1")
		s.server.Drain()
		if s.listener.dial(tcpAddr("10.0.0.9", 9)) != nil {
			t.Error("the server still accepts connections")
		}
		c.send(protocol.SubmitJobBG, "f", "", "2")
		c.expect(protocol.JobCreated, "H:test:1-2")
		for i := range 2 {
			if s.done() {
				t.Fatal("the server wants to end while there is a job")
			}
			handle := fmt.Sprintf("H:test:1-%d", i+1)
			w.send(protocol.GrabJob)
			w.expect(protocol.JobAssign, handle, "f", fmt.Sprint(i+1))
			w.send(protocol.WorkComplete, handle, "")
		}
		if !s.done() {
			t.Error("no job is left, and the server goes on")
		}
	})
}

func TestDrainWithoutJobsEndsAtOnce(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		s.dial().answered()
		if s.server.Drain(); !s.done() {
			t.Error("there is no job, and the server goes on")
		}
	})
}

func TestShutdownCommandNeedsAUnixSocket(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		far := s.dial()
		for _, line := range []string{"shutdown", "shutdown graceful"} {
			far.write(line + "\n")
			far.expectText("ERR UNKNOWN_COMMAND Unknown+server+commandshutdown\r\n")
		}
		if s.done() {
			t.Fatal("anybody in the network can end the server")
		}
		near := s.local()
		near.write("shutdown\n")
		near.expectText("OK\r\n")
		if !s.done() {
			t.Error("the server goes on")
		}
	})
}

func TestShutdownGracefulCommand(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		near, w := s.local(), s.awake("f")
		near.send(protocol.SubmitJobBG, "f", "", "x")
		near.expect(protocol.JobCreated, "H:test:1-1")
		near.write("shutdown graceful\n")
		near.expectText("OK\r\n")
		if s.done() || s.listener.dial(tcpAddr("10.0.0.9", 9)) != nil {
			t.Error("the server ends while there is a job, or still accepts connections")
		}
		w.send(protocol.GrabJob)
		w.expect(protocol.JobAssign, "H:test:1-1", "f", "x")
		w.send(protocol.WorkFail, "H:test:1-1")
		if !s.done() {
			t.Error("no job is left, and the server goes on")
		}
	})
}

// local connects over a listener whose peers are on this machine.
func (s *stage) local() *peer {
	s.t.Helper()
	l := newMemListener(&net.UnixAddr{Name: "/run/gearbolt.sock", Net: "unix"})
	go s.server.Serve(l, nil)
	return s.peer(l, &net.UnixAddr{Net: "unix"})
}

// The bubble of every story fails if a goroutine is left; this one has
// connections in all states that there are.
func TestCloseLeavesNothingBehind(t *testing.T) {
	o := Options{Router: router.Config{PayloadMemory: 1}}
	story(t, o, func(s *stage) {
		idle, half, deaf, w := s.dial(), s.dial(), s.dial(), s.awake("f")
		half.write("\x00REQ\x00")
		deaf.send(protocol.EchoReq, strings.Repeat("x", 2*windowSize))
		idle.send(protocol.SubmitJobBG, "f", "", "on disk alone")
		idle.expect(protocol.JobCreated, "H:test:1-1")
		s.store.reading = make(chan struct{})
		w.send(protocol.GrabJob) // whose payload is being read
		w.expectNothing()
		s.store.hold(true)
		ahead := s.dial()
		ahead.send(protocol.SubmitJobBG, "f", "", strings.Repeat("x", maxUncommitted+1)) // and is held back
		ahead.send(protocol.EchoReq, "unread")
		ahead.expectNothing()
		closed := make(chan struct{})
		go func() {
			s.server.Close()
			s.server.Close() // twice does no harm
			close(closed)
		}()
		synctest.Wait()
		select {
		case <-closed:
			t.Error("Close did not wait for a payload that is being read")
		default:
		}
		close(s.store.reading)
		<-closed
		for _, p := range []*peer{idle, half, w, ahead} {
			p.receive()
			if !p.over {
				t.Errorf("%s is still connected", p.name)
			}
		}
		if err := s.server.Serve(newMemListener(tcpAddr("10.0.0.1", 1)), nil); err == nil {
			t.Error("a closed server serves")
		}
	})
}
