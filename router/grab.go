package router

import (
	"gearbolt/persist"
	"gearbolt/protocol"
)

// An assignment is the packet that hands a job out.
type assignment protocol.Type

// grab answers GRAB_JOB, GRAB_JOB_UNIQ and GRAB_JOB_ALL, at once (Perl's worker
// gives up after half a second).
func (m *Machine) grab(c *Conn, how assignment) {
	was := m.rouse(c)
	if c.parks {
		m.park(c, how)
	} else if a, p := m.choose(c); a != nil {
		m.assign(c, a, p, how)
	} else {
		m.sayPacket(c, protocol.NoJob)
	}
	if was != nil {
		m.wake(was) // the one it was woken for may have got no worker by it
	}
}

// choose finds the ability by which c may run a job now, and the priority of
// the job. Priorities are global across a worker's functions; within one,
// functions take turns.
//
// It walks the smaller of two sets, c's functions or those with jobs (house
// law 7), so that a worker with 20,000 functions costs no more than one with
// one while few functions have work.
func (m *Machine) choose(c *Conn) (*ability, persist.Priority) {
	if m.closing {
		return nil, 0
	}
	for p := range m.ready {
		var a *ability
		if len(m.ready[p]) < c.turns.n {
			a = m.earliest(c, m.ready[p])
		} else {
			a = m.firstReady(c, persist.Priority(p))
		}
		if a != nil {
			return a, persist.Priority(p)
		}
	}
	return nil, 0
}

// earliest is c's ability for one of fns whose turn comes first.
func (m *Machine) earliest(c *Conn, fns readySet) *ability {
	var first *ability
	for _, fn := range fns {
		if a := m.ability(c, fn); a != nil && (first == nil || a.turn < first.turn) {
			first = a
		}
	}
	return first
}

// firstReady is c's first ability in turn whose function has a job of priority p.
func (m *Machine) firstReady(c *Conn, p persist.Priority) *ability {
	for a := range m.abilities.all(&c.turns, byTurn) {
		if m.functionAt.at[a.fn].readyAt[p] > 0 {
			return a
		}
	}
	return nil
}

// assign hands the first job of a function and priority to the worker c; the
// function has had its turn with that.
func (m *Machine) assign(c *Conn, a *ability, p persist.Priority, how assignment) {
	fn := m.functionAt.at[a.fn]
	j := m.jobs.at(fn.queues[p].first)
	m.dequeue(j)
	c.turn++
	a.turn = c.turn
	m.abilities.remove(&c.turns, byTurn, a)
	m.abilities.pushBack(&c.turns, byTurn, a)

	j.state = running
	m.tie(j).worker = c
	m.jobs.pushBack(&c.holding, j)
	c.past.hand(m.jobs.id(j))
	fn.run++
	fn.waits[p]--
	m.running++
	m.lease(c, j, a.timeout)
	m.sayAssigned(c, j, how)
}

// sayAssigned sends the job, or has its payload fetched and keeps its place on
// the connection.
func (m *Machine) sayAssigned(c *Conn, j *job, how assignment) {
	if how == assignment(protocol.JobAssignAll) && !j.hasReducer {
		how = assignment(protocol.JobAssignUniq)
	}
	if j.onlyStored {
		m.fetches = append(m.fetches, Fetch{Job: m.jobs.id(j), conn: c, place: m.reserve(c), how: how, size: j.size})
		return
	}
	start := len(m.arena)
	m.arena = m.appendAssign(m.arena, j, how, len(j.payload()))
	m.say(c, start, j.payload())
}

// appendAssign appends JOB_ASSIGN, JOB_ASSIGN_UNIQ or JOB_ASSIGN_ALL up to the
// payload.
func (m *Machine) appendAssign(dst []byte, j *job, how assignment, payload int) []byte {
	start := len(dst)
	dst = protocol.AppendHeader(dst, protocol.Res, protocol.Type(how), 0)
	dst = append(m.jobs.appendHandle(dst, j), 0)
	dst = append(append(dst, m.functionOf(j).name...), 0)
	if how != assignment(protocol.JobAssign) {
		dst = append(append(dst, j.unique()...), 0)
	}
	if how == assignment(protocol.JobAssignAll) {
		dst = append(append(dst, j.reducer()...), 0)
	}
	return protocol.SetBodySize(dst, start, len(dst)-start-protocol.HeaderSize+payload)
}

// lease starts the job's timer (CAN_DO_TIMEOUT). When it runs out the job goes
// back to its queue as if the worker were lost.
func (m *Machine) lease(c *Conn, j *job, timeout int64) {
	if timeout <= 0 {
		return
	}
	c.timers++
	t := m.ties.at(j.ties)
	t.timer.job = j.ref
	m.deadlines.set(&t.timer, m.clock.now+timeout)
}

// releaseJob takes a running job from its worker.
func (m *Machine) releaseJob(j *job) {
	m.cancelTimer(j)
	t, fn := m.ties.at(j.ties), m.functionOf(j)
	m.jobs.remove(&t.worker.holding, j)
	t.worker, t.numerator, t.denominator = nil, 0, 0
	fn.run--
	fn.waits[j.priority]++
	m.running--
}

// requeue takes a running job from a worker that will not finish it: the
// connection was lost or its time is up. It goes back to the end of its queue,
// unless it was run as often as it may be, or nobody wants it any more.
func (m *Machine) requeue(j *job) {
	m.releaseJob(j)
	m.untie(j)
	j.attempts++
	switch {
	case m.cfg.JobRetries > 0 && int64(j.attempts) >= int64(m.cfg.JobRetries):
		m.failed(j)
	case !j.background && m.audience(j) == 0:
		m.forget(j)
	default:
		if j.background {
			m.store(persist.Change{Kind: persist.SetAttempt, ID: m.jobs.id(j), Attempts: j.attempts}, 0)
		}
		m.enqueue(j)
	}
}

// failed gives a job up: who waits for it is told WORK_FAIL.
func (m *Machine) failed(j *job) {
	start := len(m.arena)
	m.arena = protocol.AppendHeader(m.arena, protocol.Res, protocol.WorkFail, 0)
	m.arena = protocol.FinishPacket(m.jobs.appendHandle(m.arena, j), start)
	packet := m.arena[start:len(m.arena):len(m.arena)]
	for l := range m.listeners(j).all {
		m.sayBytes(l.conn, packet, nil)
	}
	m.unstore(j)
	m.forget(j)
}
