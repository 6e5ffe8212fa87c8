package server

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gearbolt/protocol"
)

// submits has all of them submit one job each.
func (s *stage) submits(peers ...*peer) {
	for _, p := range peers {
		p.send(protocol.SubmitJobBG, "f", "", "job")
		synctest.Wait()
	}
}

// stores is sure that the store has so many changes to keep.
func (s *stage) stores(want int) {
	s.t.Helper()
	synctest.Wait()
	if n, _ := s.store.offered(); n != want {
		s.t.Fatalf("the store is offered %d changes, want %d", n, want)
	}
}

// split begins a commit of a job of the first peer, lets the jobs of the others
// gather, and answers it after that time.
func (s *stage) split(took time.Duration, peers ...*peer) {
	s.t.Helper()
	s.store.hold(true)
	s.submits(peers...)
	s.passes(took)
	s.stores(1)
	s.answer(nil)
}

func (s *stage) four() []*peer { return []*peer{s.dial(), s.dial(), s.dial(), s.dial()} }

func TestSubmittersRegroup(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		all := s.four()
		s.split(time.Millisecond, all...)
		s.stores(0)
		all[0].expect(protocol.JobCreated, "H:test:1-1")
		s.submits(all[0])
		s.stores(4)
		s.passes(time.Millisecond)
		s.answer(nil)
		s.submits(all[:3]...)
		s.stores(0)
	})
}

func TestRegroupTakesNoLongerThanACommit(t *testing.T) {
	for took, most := range map[time.Duration]time.Duration{
		time.Millisecond: time.Millisecond,
		time.Minute:      maxRegroup,
	} {
		story(t, Options{}, func(s *stage) {
			s.split(took, s.four()...)
			s.passes(most - time.Microsecond)
			s.stores(0)
			s.passes(time.Microsecond)
			s.stores(3)
		})
	}
}

// After the first attempt in vain one commit is not held back, after the second
// three, and then seven. Every round here has two.
func TestRegroupInVain(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		for _, held := range []bool{true, true, false, true, false, false, false, true} {
			all := s.four()
			s.split(time.Millisecond, all...)
			if held {
				s.stores(0)
				s.passes(time.Millisecond)
			}
			s.stores(3)
			s.passes(time.Millisecond)
			s.answer(nil)
			s.passes(time.Hour)
		}
	})
}

func TestRegroupDoesNotHoldUpWhoIsAlone(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		s.store.hold(true)
		c := s.dial()
		for range 3 {
			s.submits(c)
			s.passes(time.Millisecond)
			s.stores(1)
			s.answer(nil)
		}
	})
}

// A server that ends lets nobody come back, and has the store keep what it holds
// back nevertheless.
func TestRegroupBeforeTheEnd(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		s.split(time.Millisecond, s.four()...)
		ended := make(chan error, 1)
		go func() { ended <- s.server.Shutdown(context.Background()) }()
		s.stores(0)
		s.passes(time.Millisecond)
		s.stores(3)
		s.letGo()
		if err := <-ended; err != nil || s.store.kept() != 4 {
			t.Errorf("Shutdown: %v, and %d jobs are kept, want 4", err, s.store.kept())
		}
	})
}

// Who is alone is not held up either by bringing less than the last time, nor by
// being another one each time.
func TestRegroupDoesNotHoldUpSmallJobs(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		s.store.hold(true)
		one := s.dial()
		for i, size := range []int{10_000, 10, 5000, 0} {
			one.send(protocol.SubmitJobBG, "f", "", strings.Repeat("x", size))
			s.stores(1)
			s.passes(time.Millisecond)
			s.answer(nil)
			if i > 1 {
				one.conn.Close()
				one = s.dial()
			}
		}
	})
}

// Whom the store has just answered is waited for, not as many others.
func TestRegroupWaitsForThoseAnswered(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		all := s.four()
		s.split(time.Millisecond, all...)
		s.submits(s.four()...)
		s.stores(0)
		s.submits(all[0])
		s.stores(8)
	})
}

// Who is gone will not be back.
func TestRegroupDoesNotWaitForWhoIsGone(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		all := s.four()
		s.split(time.Millisecond, all...)
		s.stores(0)
		all[0].conn.Close()
		s.stores(3)
	})
}

// Where submitters do not wait for their answers, the next commit does not wait
// for the submitters.
func TestRegroupIsForThoseWhoWait(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		all := s.four()
		s.split(time.Millisecond, all...)
		s.submits(all[0])
		s.stores(4)
		s.submits(all[3])
		s.passes(time.Millisecond)
		s.answer(nil)
		s.stores(1)
	})
}

// Nobody is held up who may say no more before the next commit.
func TestRegroupDoesNotHoldUpWhoIsThrottled(t *testing.T) {
	story(t, Options{CommitMemory: 8 * mib}, func(s *stage) {
		all := s.four()
		s.split(time.Millisecond, all...)
		s.stores(0)
		all[3].send(protocol.SubmitJobBG, "f", "", strings.Repeat("x", mib))
		s.stores(4)
	})
}
