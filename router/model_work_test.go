package router

import (
	"slices"
	"time"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// canDo is CAN_DO and CAN_DO_TIMEOUT.
func (m *model) canDo(c *modelConn, function string, timeout time.Duration) {
	m.functions[function] = true
	a := c.ability(function)
	if a == nil {
		a = &modelAbility{function: function}
	}
	m.cannot(c, function)
	c.since++
	a.times++
	a.timeout, a.since = timeout, c.since
	c.abilities = append([]*modelAbility{a}, c.abilities...)
	for _, j := range m.queue {
		if c.sleep == asleep && !m.closing && j.Function == function {
			m.mustWake = c
		}
	}
}

// cannot takes a function off those that c is registered for.
func (m *model) cannot(c *modelConn, function string) {
	c.abilities = slices.DeleteFunc(c.abilities, func(a *modelAbility) bool { return a.function == function })
}

// choose finds the next job for c: the highest priority of all its functions,
// then the function whose turn it is, then the job that came first.
func (m *model) choose(c *modelConn) *modelJob {
	if m.closing {
		return nil
	}
	for p := range persist.Priority(persist.Priorities) {
		for _, a := range c.abilities {
			for _, j := range m.queue {
				if j.Function == a.function && j.Priority == p {
					return j
				}
			}
		}
	}
	return nil
}

// grab is GRAB_JOB, GRAB_JOB_UNIQ and GRAB_JOB_ALL.
func (m *model) grab(c *modelConn, t protocol.Type) {
	c.sleep = up
	how := map[protocol.Type]protocol.Type{
		protocol.GrabJob: protocol.JobAssign, protocol.GrabJobUniq: protocol.JobAssignUniq, protocol.GrabJobAll: protocol.JobAssignAll,
	}[t]
	switch j := m.choose(c); {
	case c.parks && (j == nil || len(c.parked) > 0):
		c.parked = append(c.parked, how)
		c.sleep = asleep
	case j != nil:
		m.assign(c, j, how)
	default:
		c.say(packet(protocol.NoJob))
	}
}

// assign hands j to c.
func (m *model) assign(c *modelConn, j *modelJob, how protocol.Type) *modelReply {
	m.dequeue(j)
	a := c.ability(j.Function)
	m.cannot(c, j.Function)
	c.abilities = append(c.abilities, a)
	j.state, j.worker = running, c
	if j.ID.Compare(c.youngest) > 0 {
		c.youngest = j.ID
	}
	c.holding = append(c.holding, j)
	if a.timeout > 0 {
		m.setTimer(j, modelTimer{ran: m.clock.ran + a.timeout})
	}
	r := c.say(j.assignment(how))
	m.fetch(r, c, j)
	return r
}

// A modelFetch is a payload that the machine wants to have read back.
type modelFetch struct {
	Fetch
	reply *modelReply
	conn  *modelConn
	job   *modelJob
}

// fetch makes r wait if the machine has to have the payload read first.
func (m *model) fetch(r *modelReply, c *modelConn, j *modelJob) {
	for i, f := range m.newFetches {
		if f.Job == j.ID && f.conn == c.conn {
			r.waiting = true
			m.fetches = append(m.fetches, modelFetch{f, r, c, j})
			m.newFetches = slices.Delete(m.newFetches, i, i+1)
			return
		}
	}
}

func (j *modelJob) assignment(how protocol.Type) string {
	switch {
	case how == protocol.JobAssign:
		return packet(how, j.handle, j.Function, string(j.Payload))
	case how == protocol.JobAssignAll && j.HasReducer:
		return packet(how, j.handle, j.Function, j.Unique, j.Reducer, string(j.Payload))
	}
	return packet(protocol.JobAssignUniq, j.handle, j.Function, j.Unique, string(j.Payload))
}

func (m *model) preSleep(c *modelConn) {
	c.sleeps++
	c.sleep = asleep
	for range c.parked {
		c.say(packet(protocol.NoJob))
	}
	c.parked = nil
	for _, j := range c.holding {
		j.timer = nil
	}
	if m.choose(c) != nil {
		m.mustWake = c
	}
}

// release takes j from its worker.
func (m *model) release(j *modelJob) {
	j.worker.holding = slices.DeleteFunc(j.worker.holding, func(k *modelJob) bool { return k == j })
	j.worker, j.timer = nil, nil
}

// requeue is a worker lost.
func (m *model) requeue(j *modelJob) {
	m.release(j)
	j.Attempts++
	j.numerator, j.denominator = 0, 0
	switch {
	case m.cfg.JobRetries > 0 && int(j.Attempts) >= m.cfg.JobRetries:
		m.fail(j)
	case !j.background && len(j.clients) == 0:
		m.vanish(j)
	default:
		m.enqueue(j)
	}
}

// fail gives j up.
func (m *model) fail(j *modelJob) {
	m.tell(j, packet(protocol.WorkFail, j.handle))
	m.vanish(j)
}

// tell tells all clients of j.
func (m *model) tell(j *modelJob, word string) {
	for _, c := range j.clients {
		c.say(word)
	}
}

// work is WORK_*; a[0] is the handle.
func (m *model) work(c *modelConn, t protocol.Type, a []string) {
	j := m.byHandle(a[0])
	if j == nil || j.worker != c {
		if !m.mayHaveHeld(c, a[0]) {
			c.say(m.foreign(t))
		}
		return
	}
	switch t {
	case protocol.WorkStatus:
		j.numerator, j.denominator = protocol.Count([]byte(a[1])), protocol.Count([]byte(a[2]))
	case protocol.WorkException:
		m.except(j, a)
		m.finish(j)
		return
	}
	m.tell(j, packet(t, a...))
	if t == protocol.WorkComplete || t == protocol.WorkFail {
		m.finish(j)
	}
}

func (m *model) except(j *modelJob, a []string) {
	for _, c := range j.clients {
		if c.exceptions {
			c.say(packet(protocol.WorkException, a...))
		} else {
			c.say(packet(protocol.WorkFail, j.handle))
		}
	}
}

func (m *model) finish(j *modelJob) {
	m.release(j)
	m.vanish(j)
}

// mayHaveHeld reports whether c's words about a job are late ones: the job was
// taken from it, or is gone and no younger than one that it was handed.
func (m *model) mayHaveHeld(c *modelConn, handle string) bool {
	_, id, ok := parseHandle([]byte(handle))
	return ok && (c.taken[id] || m.byID(id) == nil && id.Compare(c.youngest) <= 0)
}

// foreign answers a word about a job that the speaker never held.
func (m *model) foreign(t protocol.Type) string {
	switch t {
	case protocol.WorkData, protocol.WorkWarning:
		return errorPacket("JOB_NOT_FOUND", "Job does not exist on server")
	case protocol.WorkException:
		return errorPacket("JOB_NOT_FOUND", "An exception was received for a job that does not exist")
	}
	return errorPacket("JOB_NOT_FOUND", "Job given in work result not found")
}

func (m *model) byHandle(handle string) *modelJob {
	for _, j := range m.jobs {
		if j.handle == handle {
			return j
		}
	}
	return nil
}

// disconnect is the end of a connection.
func (m *model) disconnect(c *modelConn) {
	c.gone, c.expect, c.abilities, c.parked = true, nil, nil, nil
	m.conns = slices.DeleteFunc(m.conns, func(x *modelConn) bool { return x == c })
	for _, j := range slices.Clone(m.jobs) {
		had := len(j.clients)
		j.clients = slices.DeleteFunc(j.clients, func(x *modelConn) bool { return x == c })
		if had > 0 && len(j.clients) == 0 && !j.background && j.state == queued {
			m.vanish(j)
		}
	}
	for _, j := range slices.Clone(c.holding) {
		m.requeue(j)
	}
}
