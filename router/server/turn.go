package server

import (
	"errors"
	"time"

	"go.uber.org/zap"

	"gearbolt/persist"
	"gearbolt/router"
)

// A turn is what one visit to the machine leaves to be done without the lock.
// It is used again for the next visit.
type turn struct {
	reader  *conn            // whose messages were stepped; nil: nobody's
	touched []*conn          // others that have something in their outbox
	answer  bool             // so has the reader
	commit  []persist.Change // for the store
	fetches []router.Fetch
	backups []router.Backup
}

// visit has f talk to the machine under the lock, and then does what follows
// from it.
func (s *Server) visit(f func(*router.Machine, time.Time)) {
	var t turn
	s.meet(&t, f)
	s.carryOut(&t)
}

// meet is the part of visit that is done under the lock.
func (s *Server) meet(t *turn, f func(*router.Machine, time.Time)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		f(s.machine, time.Now())
		s.collect(t)
	}
}

// collect takes from the machine what an event has led to. s.mu is held.
func (s *Server) collect(t *turn) {
	for _, send := range s.machine.Sends() {
		c := send.Conn.Owner().(*conn)
		switch flush := c.out.add(send, s.opts.OutboxLimit); {
		case flush && c == t.reader:
			t.answer = true
		case flush:
			t.touched = append(t.touched, c)
		}
		if s.overloaded() {
			s.relieve(t)
		}
	}
	t.commit = s.dueCommit()
	t.fetches = s.machine.Fetches()
	t.backups = s.machine.Backups()
	s.arm()
	if s.machine.Shutdown() != router.NoShutdown || s.draining || s.quiet != nil {
		s.checkEnd(t)
	}
}

// arm sets the timer for when the machine next has something to do. A timer
// that fires too early does no harm, so it is only ever moved forward.
func (s *Server) arm() {
	next := s.machine.Next()
	if next.IsZero() || !s.armed.IsZero() && !next.Before(s.armed) {
		return
	}
	s.armed = next
	s.timer.Reset(time.Until(next))
}

// tick is the timer.
func (s *Server) tick() {
	s.visit(func(m *router.Machine, now time.Time) {
		s.armed = time.Time{}
		m.Tick(now)
	})
}

// carryOut does, without the lock, what collect took. The store begins first,
// so that it works while the replies are written. The reader's own come last:
// whom a message concerns can get to work on it meanwhile.
func (s *Server) carryOut(t *turn) {
	if t.commit != nil {
		s.commit(t)
	}
	for i, c := range t.touched {
		c.out.flush(c)
		t.touched[i] = nil
	}
	t.touched = t.touched[:0]
	if t.answer {
		t.answer = false
		t.reader.out.flush(t.reader)
	}
	if t.fetches != nil {
		fetches := t.fetches
		t.fetches = nil
		s.readers.run(func() { s.fetch(fetches) })
	}
	if t.backups != nil {
		backups := t.backups
		t.backups = nil
		s.readers.run(func() { s.backUp(backups) })
	}
}

// commit gives the store the batch that is due.
func (s *Server) commit(t *turn) {
	s.store.Commit(t.commit, s.committed)
	t.commit = nil
}

// fewWrites is to how many connections the store's goroutine writes itself, which
// takes less time than a commit.
const fewWrites = 8

// committed works off the store's answer. It is called by the store's own
// goroutine, which has nothing to do until it is given the next batch; so if one
// is due, or may be before all is written, others write out what there is to say.
// Close waits for it if the server was still open when it began.
func (s *Server) committed(err error) {
	s.writers.began()
	defer s.writers.ended()
	var refused *persist.RefusedError
	if err != nil && !errors.As(err, &refused) {
		s.fail(err)
		return
	}
	if refused != nil {
		s.log.Warn("the store refused changes", zap.Int("changes", len(refused.Refused)), zap.Error(refused))
	}
	var t turn
	s.meet(&t, func(m *router.Machine, now time.Time) {
		m.Committed(now, refused)
		s.regroup.answers(now)
		s.storeAnswered()
	})
	if t.commit == nil && len(t.touched) <= fewWrites {
		s.carryOut(&t)
		return
	}
	if t.commit != nil {
		s.commit(&t)
	}
	s.writers.run(func() { s.carryOut(&t) })
}

// fetch reads payloads that memory no longer holds.
func (s *Server) fetch(fetches []router.Fetch) {
	for _, f := range fetches {
		if !s.awaitMemory(int64(f.Size())) {
			return
		}
		payload, err := s.store.Payload(f.Job)
		if err != nil && !errors.Is(err, persist.ErrNotFound) {
			s.fail(err)
			return
		}
		s.visit(func(m *router.Machine, now time.Time) { m.Fetched(now, f, payload, err == nil) })
		s.fetching.give(int64(f.Size()))
	}
}
