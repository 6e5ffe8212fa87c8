package router

import "gearbolt/protocol"

// Parked grabs give ALL_YOURS a meaning, which PROTOCOL has left open: they
// spare a worker the round of NO_JOB, PRE_SLEEP, NOOP and GRAB_JOB. The rule:
//
//   - A GRAB_JOB, GRAB_JOB_UNIQ or GRAB_JOB_ALL on a connection that has said
//     ALL_YOURS is answered at once if there is a job for the connection. If
//     there is none it is kept, and answered by JOB_ASSIGN* when there is one.
//     Several may be kept, and are answered in the order in which they came.
//   - A connection that has requests kept is a sleeping worker that need not
//     be woken: it has its turn among the sleeping ones, its functions have
//     theirs and priorities hold, once for each request.
//   - CAN_DO serves kept requests by the new function. CANT_DO and
//     RESET_ABILITIES leave them kept, for what functions remain.
//   - PRE_SLEEP takes all kept requests back: each is answered with NO_JOB, and
//     then PRE_SLEEP means what it always means. Every request is answered once.
//   - A connection that is lost loses its requests, and one that has parkLimit
//     of them is told ERROR for more.

// allYours is ALL_YOURS. It cannot be taken back.
func (m *Machine) allYours(c *Conn) { c.parks = true }

// parkLimit is how many requests may wait on one connection.
const parkLimit = 4096

// park keeps a request that cannot be answered yet, behind those before it.
func (m *Machine) park(c *Conn, how assignment) {
	if len(c.parked) == parkLimit {
		m.sayError(c, protocol.QueueError, "Too many requests wait for a job")
		return
	}
	c.parked = append(c.parked, how)
	m.fallAsleep(c)
	for len(c.parked) > 0 && m.serveParked(c) {
	}
}

// serveParked answers the first request that c has waiting, if there is a job
// for it. The next one waits behind other sleeping workers.
func (m *Machine) serveParked(c *Conn) bool {
	a, p := m.choose(c)
	if a == nil {
		return false
	}
	how := c.parked[0]
	if c.parked = c.parked[1:]; len(c.parked) == 0 {
		c.parked, c.sleep = nil, up
	} else {
		m.fallAsleep(c)
	}
	m.assign(c, a, a.fn.queues[p].first.of, how)
	return true
}

// unpark takes the kept requests back.
func (m *Machine) unpark(c *Conn) {
	for range c.parked {
		m.sayPacket(c, protocol.NoJob)
	}
	c.parked = nil
}
