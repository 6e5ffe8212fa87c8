package router

import (
	"time"

	"gearbolt/protocol"
)

// drain ends a run: the store gets well and finishes, and a worker does all
// jobs. What is left then should be nothing.
func (s *simulation) drain() {
	s.refuses, s.slow = 0, 0
	s.quiet()
	s.compareStore()
	s.model.lawOfMemory()
	s.cfg.Limits = Limits{}
	s.event("configure", func(now time.Time) { s.subject.Configure(now, s.cfg) }, func() { s.model.cfg = s.cfg })
	if s.model.closing {
		s.crash()
	}
	for len(s.model.conns) > 0 {
		s.disconnect(s.model.conns[0])
	}
	s.quiet()
	s.connect()
	worker := s.model.conns[0]
	for function := range s.model.functions {
		s.say(worker, request(protocol.CanDo, function))
	}
	for rounds := 0; len(s.model.jobs) > 0; rounds++ {
		if rounds > 1000 {
			s.model.failf("the jobs do not come to an end")
		}
		s.workOff(worker)
	}
	s.disconnect(worker)
	s.quiet()
	s.empty()
}

// quiet waits until the store has all that it is to have: for a while, since
// that may be late, and until a delete or an attempt no longer lingers.
func (s *simulation) quiet() {
	for rounds := 0; rounds < 3 || !s.machine.Stored(); rounds++ {
		if rounds > 1000 {
			s.model.failf("the store is never given all that it is to have")
		}
		s.pass(owedPause)
		for s.take(); s.store.batch != nil; s.take() {
			s.commit(nil)
		}
		for len(s.model.fetches) > 0 {
			s.fetched(0)
		}
	}
}

// compareStore holds what the store has against what it should have.
func (s *simulation) compareStore() {
	for id, kept := range s.store.jobs {
		j := s.model.byID(id)
		switch {
		case j == nil:
			s.model.failf("job %v is finished, and still in the store", id)
		case kept.Attempts != j.Attempts:
			s.model.failf("job %v was tried %d times, and the store says %d", id, j.Attempts, kept.Attempts)
		}
	}
	for _, j := range s.model.jobs {
		if _, kept := s.store.jobs[j.ID]; kept != j.background {
			s.model.failf("job %v: background is %v, and in the store %v", j.ID, j.background, kept)
		}
		if len(j.waiters) > 0 {
			s.model.failf("job %v: a submission was never answered", j.ID)
		}
	}
	for f := range s.model.functions {
		if s.store.limits[f] != s.machine.limits.now[f] {
			s.model.failf("%q: the store has the limit %v and the machine %v", f, s.store.limits[f], s.machine.limits.now[f])
		}
	}
}

// workOff grabs a job and completes it, or waits for the next one.
func (s *simulation) workOff(worker *modelConn) {
	s.say(worker, request(protocol.GrabJobAll))
	s.quiet()
	if len(worker.holding) > 0 {
		s.say(worker, request(protocol.WorkComplete, worker.holding[0].handle, "done"))
	} else if j := s.model.firstDue(); j != nil {
		s.clock.pass(max(j.timer.due(&s.clock), 0))
		s.tick()
	}
}

// empty finds what is left over in a machine that has nothing to do.
func (s *simulation) empty() {
	s.pass(time.Second)
	m := s.machine
	switch {
	case len(s.store.jobs) > 0:
		s.model.failf("%d jobs are left in the store", len(s.store.jobs))
	case m.Jobs() > 0 || m.Running() > 0 || m.uniques.byKey.n+m.uniques.byID.n > 0:
		s.model.failf("%d jobs and %d uniques are left", m.Jobs(), m.uniques.byKey.n)
	case m.payloadBytes != 0 || m.Uncommitted() != 0:
		s.model.failf("%d bytes of payload, %d uncommitted are left", m.payloadBytes, m.Uncommitted())
	case len(m.deadlines.heap) > 0 || !m.Next().IsZero():
		s.model.failf("%d deadlines are left", len(m.deadlines.heap))
	case !m.Stored():
		s.model.failf("the store does not have all")
	}
}
