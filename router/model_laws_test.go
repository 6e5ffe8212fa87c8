package router

import (
	"slices"
	"time"
)

// hear takes what c has been told in an event. NOOPs are not answers: they are
// held against house law 5.
func (m *model) hear(c *modelConn, words []string) {
	for _, word := range words {
		if word != "NOOP" {
			c.heard = append(c.heard, word)
			continue
		}
		if c.noops++; c.noops > c.sleeps {
			m.failf("connection %d was told NOOP more often than it slept", c.conn.number)
		}
		if c.sleep != up { // one that was held back may have been for an earlier sleep
			c.sleep, c.noopAt, c.silent = woken, m.clock.ran, false
		}
	}
}

// settleEvent checks, after every event, what must hold then.
func (m *model) settleEvent(next time.Time) {
	m.park()
	for _, c := range slices.Clone(m.conns) {
		m.compare(c)
	}
	if c := m.mustWake; c != nil && m.sleeps(c) && len(c.parked) == 0 && m.choose(c) != nil {
		m.failf("connection %d sleeps over a job that waited when it lay down", c.conn.number)
	}
	for function := range m.functions {
		m.lawFive(function)
	}
	m.lawOfTime(next)
	if len(m.newFetches) > 0 {
		m.failf("the payload of job %v is read for nobody", m.newFetches[0].Job)
	}
	m.enqueued, m.mustWake = 0, nil
}

// sleeps reports whether c sleeps, as far as can be seen from outside: a NOOP
// may lie behind a reply that waits for the store.
func (m *model) sleeps(c *modelConn) bool {
	return c.sleep == asleep && !c.blocked() && !c.closing && !c.gone
}

// lawFive: if a job is queued and a capable worker sleeps, a NOOP is
// outstanding, and another one when the first is not heeded.
func (m *model) lawFive(function string) {
	wanted := 0
	for _, j := range m.queue {
		if j.Function == function {
			wanted++
		}
	}
	if m.cfg.WorkerWakeup > 0 {
		wanted = min(wanted, m.cfg.WorkerWakeup)
	}
	var sleeper *modelConn
	coming := 0
	for _, c := range m.conns {
		switch {
		case c.ability(function) == nil:
		case m.sleeps(c):
			sleeper = c
		case c.sleep == woken && !c.silent, c.blocked(), c.closing:
			coming++
		}
	}
	if sleeper != nil && coming < wanted && !m.closing {
		m.failf("%q needs %d workers, %d come, and connection %d sleeps", function, wanted, coming, sleeper.conn.number)
	}
}

// lawOfTime: the machine wants to be woken when the first timer is due, or
// before.
func (m *model) lawOfTime(next time.Time) {
	j := m.firstDue()
	if j == nil {
		return
	}
	due := max(j.timer.due(m.clock), 0)
	if next.IsZero() || next.Sub(m.clock.now()) > due {
		m.failf("job %v is due in %v, but the machine's next time is %v", j.ID, due, next)
	}
}

// stampede: no more workers are woken than there are jobs.
func (m *model) stampede(noops, queuedBefore int) {
	if most := queuedBefore + m.enqueued; noops > most {
		m.failf("%d workers are woken for %d jobs", noops, most)
	}
}

// park follows the machine where it hands jobs to workers that have asked
// before (ALL_YOURS). Which of them is the machine's choice; that the worker
// may run the job, and that none is passed over in its queue, is not.
func (m *model) park() {
	for _, c := range m.conns {
		for x := range m.machine.jobs.all(&c.conn.holding) { // in the order in which the machine handed them out
			j := m.byID(m.machine.jobs.id(x))
			if j == nil || j.state != queued && j.worker != c || len(c.parked) == 0 {
				break
			}
			if j.state == queued {
				m.parkedAssign(c, j)
			}
		}
	}
}

func (m *model) parkedAssign(c *modelConn, j *modelJob) {
	if c.ability(j.Function) == nil {
		m.failf("job %v is handed to connection %d, which cannot do %q", j.ID, c.conn.number, j.Function)
	}
	if m.closing {
		m.failf("job %v is handed out after the shutdown began", j.ID)
	}
	for _, q := range m.queue[:slices.Index(m.queue, j)] {
		if q.Function == j.Function && q.Priority == j.Priority && m.machine.jobs.of(q.ID).state == queued {
			m.failf("job %v is handed out before %v", j.ID, q.ID)
		}
	}
	how := c.parked[0]
	if c.parked = c.parked[1:]; len(c.parked) == 0 {
		c.sleep = up
	}
	m.assign(c, j, how).loose = true
}
