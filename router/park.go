package router

import (
	"slices"

	"gearbolt/protocol"
)

// Parked grabs: the rule stands in the package comment.

// allYours is ALL_YOURS. It cannot be taken back.
func (m *Machine) allYours(c *Conn) { c.parks = true }

// parkLimit is how many requests may wait on one connection.
const parkLimit = 4096

// parkKept is for how many requests a connection keeps memory while none waits.
const parkKept = 64

// park keeps a request that cannot be answered yet, behind those before it.
func (m *Machine) park(c *Conn, how assignment) {
	m.fallAsleep(c)
	if len(c.parked) == parkLimit {
		m.deny(c, GrabsOverLimit)
		return
	}
	c.parked = append(c.parked, how)
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
	if c.parked = slices.Delete(c.parked, 0, 1); len(c.parked) > 0 {
		m.fallAsleep(c)
	} else if c.sleep = up; cap(c.parked) > parkKept {
		c.parked = nil
	}
	m.assign(c, a, p, how)
	return true
}

// unpark takes the kept requests back.
func (m *Machine) unpark(c *Conn) {
	for range c.parked {
		m.sayPacket(c, protocol.NoJob)
	}
	c.parked = nil
}
