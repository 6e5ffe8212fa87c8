package server

import (
	"errors"
	"time"

	"go.uber.org/zap"

	"gearbolt/protocol"
	"gearbolt/router"
)

// roomPatience is how long a packet that is too large for what is left of
// Options.ReadMemory may wait before its connection is closed.
const roomPatience = 10 * time.Second

// errNoRoom ends a connection whose packet found no memory.
var errNoRoom = errors.New("no memory for a large packet: read-memory is used up")

// makeRoom has c.in hold more of a message of need bytes. What goes beyond the
// buffers that every connection may have is taken from what all share; while
// there is none, c is not read.
func (c *conn) makeRoom(need int) error {
	b := c.in
	if len(b.b) == cap(b.b) {
		if size := b.grown(need); size > bufferKeep {
			if err := c.awaitRoom(int64(size) - c.room); err != nil {
				return err
			}
			c.room = int64(size)
		}
		b.grow(need)
	}
	return nil
}

// awaitRoom takes n bytes of the read memory, and waits for them if need be.
func (c *conn) awaitRoom(n int64) error {
	s := c.server
	wait := s.reading.take(n)
	if wait == nil {
		return nil
	}
	c.half.end() // it is not the peer who is slow
	late := time.NewTimer(roomPatience)
	defer late.Stop()
	for ; wait != nil; wait = s.reading.take(n) {
		select {
		case <-wait:
		case <-s.quit:
			return errServerClosed
		case <-late.C:
			if c.lastTry(n) {
				return nil
			}
			c.refuseRoom()
			return errNoRoom
		}
	}
	return nil
}

// lastTry takes n bytes of the read memory, or gives back what c has of it. One
// connection at a time does so: of many whose patience ends together, those
// that come later find what the first have given back.
func (c *conn) lastTry(n int64) bool {
	s := c.server
	s.lastTries.Lock()
	defer s.lastTries.Unlock()
	if s.reading.take(n) == nil {
		return true
	}
	c.giveRoom()
	return false
}

func (c *conn) refuseRoom() {
	putBuffer(c.in)
	c.in = nil
	c.server.log.Warn("connection closed: no memory for its packet; see read-memory", zap.String("from", c.peer.Full))
	c.server.visit(func(m *router.Machine, _ time.Time) {
		m.Count(router.ReadsOverReadMemory, 1)
		m.Refuse(c.router, protocol.QueueError, "Too many large packets at once: read-memory is used up")
	})
	c.linger(lingerPacket)
}

// fetchShare is the part of Options.ReadMemory, as a divisor, that payloads being
// read back have for themselves: peers who send large packets, as slowly as they
// like, do not hold up the workers.
const fetchShare = 4

// shareReadMemory divides Options.ReadMemory.
func (s *Server) shareReadMemory(n int64) {
	s.fetching.setLimit((n + fetchShare - 1) / fetchShare)
	s.reading.setLimit(n - n/fetchShare)
}

// awaitMemory takes n bytes of the read memory for a payload that is to be read
// back. It reports false when the server ends.
func (s *Server) awaitMemory(n int64) bool {
	for wait := s.fetching.take(n); wait != nil; wait = s.fetching.take(n) {
		select {
		case <-wait:
		case <-s.quit:
			return false
		}
	}
	return true
}

// giveRoom gives back what makeRoom took.
func (c *conn) giveRoom() {
	if c.room > 0 {
		c.server.reading.give(c.room)
		c.room = 0
	}
}

// shrink moves the few bytes that are left of a large buffer to a small one.
func (c *conn) shrink() {
	small := getBuffer()
	small.b = append(small.b, c.in.b...)
	c.in = small
	c.giveRoom()
}
