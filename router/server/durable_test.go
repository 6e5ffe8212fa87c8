package server

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.uber.org/zap"

	"gearbolt/persist"
	"gearbolt/protocol"
	"gearbolt/router"
)

func TestBackgroundJobIsAcknowledgedWhenItIsStored(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		s.store.hold(true)
		w, c, other := s.worker("f"), s.dial(), s.dial()
		c.send(protocol.SubmitJobBG, "f", "u", "x")
		c.expectNothing()
		w.expectNothing()
		w.send(protocol.GrabJob)
		w.expect(protocol.NoJob)
		other.send(protocol.GetStatus, "H:test:1-1")
		other.expect(protocol.StatusRes, "H:test:1-1", "0", "0", "0", "0")
		w.send(protocol.PreSleep)
		w.expectNothing()
		s.letGo()
		c.expect(protocol.JobCreated, "H:test:1-1")
		w.grab("f", "H:test:1-1", "x")
		w.send(protocol.WorkComplete, "H:test:1-1", "")
		w.expectNothing()
		if s.store.kept() != 0 {
			t.Error("a job that is done is still in the store")
		}
	})
}

func TestCallsFlowWhileACommitHangs(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		s.store.hold(true)
		w, submitter, caller := s.worker("call"), s.dial(), s.dial()
		submitter.send(protocol.SubmitJobBG, "f", "", "x")
		submitter.expectNothing()
		for i := range 10 {
			caller.call(w, "call", fmt.Sprintf("H:test:1-%d", i+2))
		}
		submitter.expectNothing()
		s.letGo()
		submitter.expect(protocol.JobCreated, "H:test:1-1")
	})
}

func TestRepliesWaitBehindAHeldOne(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		s.store.hold(true)
		c := s.dial()
		c.send(protocol.EchoReq, "before")
		c.send(protocol.SubmitJobBG, "f", "", "1")
		c.write("version\n")
		c.send(protocol.SubmitJob, "g", "", "2")
		c.send(protocol.SubmitJobBG, "f", "", "3")
		c.send(protocol.EchoReq, "behind")
		c.expect(protocol.EchoRes, "before")
		c.expectNothing()
		s.letGo()
		c.expect(protocol.JobCreated, "H:test:1-1")
		c.expectText("OK 9.9\n")
		c.expect(protocol.JobCreated, "H:test:1-2")
		c.expect(protocol.JobCreated, "H:test:1-3")
		c.expect(protocol.EchoRes, "behind")
		c.expectNothing()
	})
}

// What gathers during one commit is the next one.
func TestCommitsGather(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		s.store.hold(true)
		c := s.dial()
		c.send(protocol.SubmitJobBG, "f", "", "first")
		c.expectNothing()
		for range 50 {
			c.send(protocol.SubmitJobBG, "f", "", "more")
			c.expectNothing()
		}
		for _, want := range []int{1, 50} {
			if changes, _ := s.store.offered(); changes != want {
				t.Errorf("the store is offered %d changes, want %d", changes, want)
			}
			s.answer(nil)
			c.receive()
		}
		for i := range 51 {
			c.expect(protocol.JobCreated, fmt.Sprintf("H:test:1-%d", i+1))
		}
	})
}

func TestRefusedJobIsAnErrorAndNeverWas(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		s.store.hold(true)
		a, b, w := s.dial(), s.dial(), s.dial()
		a.send(protocol.SubmitJobBG, "f", "", "0") // is being stored, while the others gather
		a.expectNothing()
		a.send(protocol.SubmitJobBG, "f", "", "kept")
		a.expectNothing()
		b.send(protocol.SubmitJobBG, "f", "", "refused")
		b.send(protocol.EchoReq, "behind")
		b.expectNothing()
		s.answer(nil)
		a.expect(protocol.JobCreated, "H:test:1-1")
		s.answer(&persist.RefusedError{Refused: []persist.Refusal{{Index: 1, Err: persist.ErrFull}}})
		a.expect(protocol.JobCreated, "H:test:1-2")
		b.expect(protocol.Error, "QUEUE_ERROR", "The job could not be stored: no space left")
		b.expect(protocol.EchoRes, "behind")
		w.send(protocol.GetStatus, "H:test:1-3")
		w.expect(protocol.StatusRes, "H:test:1-3", "0", "0", "0", "0")
		if s.logged("the store refused changes") != 1 {
			t.Error("the log has no line about it")
		}
	})
}

// House law 2: a finished job that the store could not forget does not come
// back.
func TestRefusedDeleteIsOfferedAgain(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		w, c := s.worker("f"), s.dial()
		c.send(protocol.SubmitJobBG, "f", "", "x")
		c.expect(protocol.JobCreated, "H:test:1-1")
		w.grab("f", "H:test:1-1", "x")
		s.store.hold(true)
		w.send(protocol.WorkComplete, "H:test:1-1", "")
		w.expectNothing()
		s.answer(&persist.RefusedError{Refused: []persist.Refusal{{Index: 0, Err: persist.ErrFull}}})
		w.expectNothing()
		if s.store.kept() != 1 {
			t.Fatal("the store forgot what it refused to forget")
		}
		s.passes(time.Second)
		s.letGo()
		w.expectNothing()
		if s.store.kept() != 0 {
			t.Error("the job is still in the store")
		}
	})
}

var errDisk = errors.New("input/output error")

func TestFatalCommitAnswersNothing(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		s.store.hold(true)
		c, caller, w := s.dial(), s.dial(), s.worker("f")
		c.send(protocol.SubmitJobBG, "f", "", "x")
		c.expectNothing()
		if s.done() || s.server.Err() != nil {
			t.Fatal("the server ends before anything has failed")
		}
		s.answer(errDisk)
		if !s.done() || !errors.Is(s.server.Err(), errDisk) {
			t.Errorf("the server goes on, with %v", s.server.Err())
		}
		caller.send(protocol.EchoReq, "still there?")
		c.expectNothing()
		caller.expectNothing()
		w.expectNothing()
		if n := s.logged("the store failed"); n != 1 {
			t.Errorf("%d lines in the log, want 1", n)
		}
		if err := s.server.Shutdown(context.Background()); !errors.Is(err, errDisk) {
			t.Errorf("Shutdown: %v, want the failure", err)
		}
		c.expectClosed()
		w.expectClosed()
	})
}

func TestPayloadFromTheStoreKeepsItsPlace(t *testing.T) {
	o := Options{Router: router.Config{PayloadMemory: 1}}
	story(t, o, func(s *stage) {
		s.store.reading = make(chan struct{})
		w, other, c := s.worker("f"), s.dial(), s.dial()
		c.send(protocol.SubmitJobBG, "f", "u", "on disk alone")
		c.expect(protocol.JobCreated, "H:test:1-1")
		w.expect(protocol.Noop)
		w.send(protocol.GrabJobUniq)
		w.send(protocol.EchoReq, "behind")
		w.expectNothing()
		other.answered()
		close(s.store.reading)
		w.expect(protocol.JobAssignUniq, "H:test:1-1", "f", "u", "on disk alone")
		w.expect(protocol.EchoRes, "behind")
	})
}

func TestJobCancelledWhileItsPayloadIsRead(t *testing.T) {
	o := Options{Router: router.Config{PayloadMemory: 1}}
	story(t, o, func(s *stage) {
		s.store.reading = make(chan struct{})
		w, c := s.worker("f"), s.dial()
		c.send(protocol.SubmitJobBG, "f", "", "on disk alone")
		c.expect(protocol.JobCreated, "H:test:1-1")
		w.expect(protocol.Noop)
		w.send(protocol.GrabJob)
		w.expectNothing()
		c.write("cancel job H:test:1-1\n")
		c.expectText("OK\r\n")
		close(s.store.reading)
		w.expect(protocol.NoJob)
		w.expectNothing()
	})
}

func TestUnreadablePayloadIsFatal(t *testing.T) {
	o := Options{Router: router.Config{PayloadMemory: 1}}
	story(t, o, func(s *stage) {
		w, c := s.worker("f"), s.dial()
		c.send(protocol.SubmitJobBG, "f", "", "on disk alone")
		c.expect(protocol.JobCreated, "H:test:1-1")
		w.expect(protocol.Noop)
		s.store.payloadErr = errDisk
		w.send(protocol.GrabJob)
		w.expectNothing()
		if !s.done() || !errors.Is(s.server.Err(), errDisk) {
			t.Errorf("the server goes on, with %v", s.server.Err())
		}
	})
}

func TestJobsComeBack(t *testing.T) {
	store := newLedger()
	store.before = []persist.Change{
		{Kind: persist.SetLimit, Limit: &persist.Limit{Function: "f", Max: [3]uint32{3, 3, 3}}},
		{Kind: persist.PutJob, Job: &persist.Job{ID: persist.JobID{Epoch: 7, Seq: 2}, Prefix: "H:old", Function: "f", Payload: []byte("low"), Priority: persist.Low}},
		{Kind: persist.PutJob, Job: &persist.Job{ID: persist.JobID{Epoch: 7, Seq: 3}, Prefix: "H:old", Function: "f", Payload: []byte("high"), Priority: persist.High}},
		{Kind: persist.PutJob, Job: &persist.Job{ID: persist.JobID{Epoch: 7, Seq: 4}, Prefix: "H:old", Function: "f", Payload: []byte("due"), Due: time.Date(2000, 1, 1, 0, 1, 0, 0, time.UTC)}},
	}
	storyWith(t, Options{}, store, func(s *stage) {
		if s.server.Recovered() != 3 {
			t.Errorf("%d jobs came back, want 3", s.server.Recovered())
		}
		w := s.awake("f")
		w.send(protocol.SubmitJobBG, "f", "", "one too many")
		w.expect(protocol.Error, "QUEUE_ERROR", protocol.TextQueueFull)
		w.send(protocol.GrabJob)
		w.expect(protocol.JobAssign, "H:old:7-3", "f", "high")
		w.send(protocol.GrabJob)
		w.expect(protocol.JobAssign, "H:old:7-2", "f", "low")
		w.send(protocol.PreSleep)
		s.passes(time.Minute - time.Millisecond)
		w.expectNothing()
		s.passes(time.Millisecond) // the bubble's clock began at midnight, the first of January 2000
		w.grab("f", "H:old:7-4", "due")
	})
}

func TestStoreThatCannotBeLoaded(t *testing.T) {
	store := newLedger()
	store.loadErr = errDisk
	if _, err := New(Options{}, store, zap.NewNop()); !errors.Is(err, errDisk) {
		t.Errorf("New: %v", err)
	}
}
