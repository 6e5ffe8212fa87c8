package server

import (
	"testing"
	"time"

	"gearbolt/protocol"
)

// When the time of running jobs is up, what workers have said until then is
// stored nevertheless: it lies behind a commit that is under way.
func TestShutdownDeadlineKeepsWhatIsDone(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		w, hung, c := s.worker("f"), s.worker("g"), s.dial()
		c.send(protocol.SubmitJobBG, "f", "", "is done")
		c.expect(protocol.JobCreated, "H:test:1-1")
		c.send(protocol.SubmitJobBG, "g", "", "hangs")
		c.expect(protocol.JobCreated, "H:test:1-2")
		w.grab("f", "H:test:1-1", "is done")
		hung.grab("g", "H:test:1-2", "hangs")
		s.store.hold(true)
		c.send(protocol.SubmitJobBG, "f", "", "under way")
		c.expectNothing()
		w.send(protocol.WorkComplete, "H:test:1-1", "")
		w.answered()
		ended := s.ending(0)
		if ended() {
			t.Fatal("the server ended with a completion that is not stored")
		}
		w.send(protocol.SubmitJobBG, "f", "", "too late")
		s.answer(nil)
		s.answer(nil)
		if !ended() || s.store.kept() != 2 {
			t.Errorf("%d jobs are in the store, want 2: the one that hung, and the one under way", s.store.kept())
		}
		if n := s.logged("jobs still run"); n != 1 {
			t.Errorf("%d lines about jobs that still run", n)
		}
	})
}

// A store that does not answer is not waited for for ever.
func TestShutdownDeadlineWithAHungStore(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		s.store.hold(true)
		c := s.dial()
		c.send(protocol.SubmitJobBG, "f", "", "")
		c.expectNothing()
		ended := s.ending(0)
		s.passes(storeTime - time.Nanosecond)
		if ended() {
			t.Error("the server ended before the store had its time")
		}
		s.passes(time.Nanosecond)
		if !ended() || s.logged("the store is too slow") != 1 {
			t.Error("the server waits for the store, or says nothing of it")
		}
		s.letGo()
	})
}

func TestNothingRunsAtTheDeadline(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		ended := s.ending(0)
		if !ended() || s.logged("still run") != 0 {
			t.Error("a server without jobs does not end quietly")
		}
	})
}
