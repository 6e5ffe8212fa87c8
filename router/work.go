package router

import (
	"bytes"
	"time"

	"gearbolt/protocol"
)

// The WORK_* packets: what a worker says of a job that it holds. Any other
// connection is told JOB_NOT_FOUND, except one that may have held the job
// before: its late or repeated words change nothing and are swallowed.

// maxDenominator is the longest denominator in WORK_STATUS; gearmand closes
// the connection for a longer one.
const maxDenominator = 11

// own finds the job that c runs by its handle. Without one it answers, or
// swallows the packet, and returns nil.
func (m *Machine) own(c *Conn, text string) *job {
	handle := protocol.CString(m.args.Arg[0])
	j := m.jobByHandle(handle)
	if j != nil && m.workerOf(j) == c {
		return j
	}
	if _, id, ok := parseHandle(handle); ok && c.past.has(id, m.jobs.numbers.get(id) != 0) {
		m.Count(LateWords, 1)
		return nil
	}
	m.Count(ForeignWords, 1)
	m.sayError(c, protocol.JobNotFound, text)
	return nil
}

// workData is WORK_DATA and WORK_WARNING.
func (m *Machine) workData(c *Conn, msg protocol.Message) {
	if j := m.own(c, protocol.TextNoSuchJob); j != nil {
		m.forward(j, msg)
	}
}

// workStatus is WORK_STATUS. The numbers are kept for GET_STATUS and sent on
// as they came; a denominator that is missing is sent as 0.
func (m *Machine) workStatus(c *Conn, msg protocol.Message) {
	var denominator []byte
	if m.args.N == 3 {
		denominator = m.args.Arg[2]
	}
	if len(denominator) > maxDenominator {
		m.close(c)
		return
	}
	j := m.own(c, protocol.TextNoSuchResultJob)
	if j == nil {
		return
	}
	t := m.ties.at(j.ties)
	t.numerator = protocol.Count(m.args.Arg[1])
	t.denominator = protocol.Count(denominator[:min(len(denominator), 10)])
	if m.args.N == 2 {
		msg.Body = append(msg.Body[:len(msg.Body):len(msg.Body)], 0, '0')
	}
	m.forward(j, msg)
}

// workEnd is WORK_COMPLETE and WORK_FAIL.
func (m *Machine) workEnd(c *Conn, msg protocol.Message) {
	if len(protocol.CString(m.args.Arg[0])) > protocol.MaxHandle {
		if msg.Type == protocol.WorkFail {
			m.sayError(c, protocol.ArgumentTooLarge, protocol.TextHandleTooLarge)
			return
		}
	}
	if j := m.own(c, protocol.TextNoSuchResultJob); j != nil {
		m.forward(j, msg)
		m.finish(j)
	}
}

// workException is WORK_EXCEPTION. It ends the job, since most libraries send
// nothing behind it. Clients that did not ask for exceptions are told
// WORK_FAIL.
func (m *Machine) workException(c *Conn, msg protocol.Message) {
	j := m.own(c, protocol.TextNoSuchExceptedJob)
	if j == nil {
		return
	}
	msg = withNUL(msg)
	fail := protocol.Message{Type: protocol.WorkFail, Body: m.args.Arg[0]}
	for l := range m.listeners(j).all {
		if l.conn.exceptions {
			m.forwardTo(l.conn, msg)
		} else {
			m.forwardTo(l.conn, fail)
		}
	}
	m.finish(j)
}

// withNUL ends the handle of a worker's packet where the worker has not: Perl
// leaves the NUL out before an empty result, and libgearman waits for it.
func withNUL(msg protocol.Message) protocol.Message {
	if msg.Type != protocol.WorkFail && bytes.IndexByte(msg.Body, 0) < 0 {
		msg.Body = append(msg.Body[:len(msg.Body):len(msg.Body)], 0)
	}
	return msg
}

// forward sends a worker's packet to all who wait for the job.
func (m *Machine) forward(j *job, msg protocol.Message) {
	msg = withNUL(msg)
	for l := range m.listeners(j).all {
		m.forwardTo(l.conn, msg)
	}
}

func (m *Machine) forwardTo(c *Conn, msg protocol.Message) {
	start := len(m.arena)
	m.arena = protocol.AppendHeader(m.arena, protocol.Res, msg.Type, len(msg.Body))
	m.say(c, start, msg.Body)
}

// finish ends a job by its worker's word.
func (m *Machine) finish(j *job) {
	m.releaseJob(j)
	m.unstore(j)
	m.forget(j)
}

// cancel ends a job by an operator's word. It reports whether the store has to
// be told.
func (m *Machine) cancel(j *job) (stored bool) {
	switch j.state {
	case queued:
		m.dequeue(j)
	case running:
		m.workerOf(j).past.take(m.jobs.id(j))
		m.releaseJob(j)
	}
	stored = j.background
	m.failed(j)
	return stored
}

// drop forgets a foreground job in its queue that nobody waits for any more.
func (m *Machine) drop(j *job) {
	m.dequeue(j)
	m.forget(j)
}

// Disconnect removes a connection. Its jobs go back to their queues; what it
// waited for as a client is dropped if nobody else waits and it does not run
// yet.
func (m *Machine) Disconnect(now time.Time, c *Conn) {
	m.advance(now)
	if c.gone {
		return
	}
	c.gone = true
	m.unhold(c)
	c.link.remove()
	for l := range c.listening.all {
		m.leave(l) // first, so that nobody is woken for what is dropped by it
	}
	m.resetAbilities(c)
	m.connAt.give(c.seat)
	for j := range m.jobs.all(&c.holding) {
		m.requeue(j)
	}
}

// leave is a foreground client that waits no more.
func (m *Machine) leave(l *listener) {
	j := m.jobs.at(l.job)
	m.unlisten(l)
	if m.audience(j) > 0 {
		return
	}
	if !j.background && j.state == queued {
		m.drop(j)
	} else {
		m.untie(j)
	}
}
