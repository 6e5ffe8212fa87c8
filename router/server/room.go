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
var errNoRoom = errors.New("no memory for a large packet")

// makeRoom has c.in hold more of a message of need bytes. What goes beyond the
// buffers that every connection may have is taken from what all share; while
// there is none, c is not read.
func (c *conn) makeRoom(need int) error {
	b := c.in
	if len(b.b) < cap(b.b) {
		return nil
	}
	if size := int64(b.grown(need)); size > bufferKeep {
		w := want{n: size - c.room, own: c.room, missing: max(int64(need), size) - c.room}
		if err := c.awaitRoom(w); err != nil {
			return err
		}
		if c.room == 0 {
			c.server.hoards.add(c)
		}
		c.room = size
	}
	b.grow(need)
	return nil
}

// awaitRoom takes some of the read memory, and waits for it if need be.
func (c *conn) awaitRoom(w want) error {
	s := c.server
	w.since = c.waitsSince
	if w.since.IsZero() {
		w.since = time.Now()
	}
	claim := s.reading.take(w)
	if claim == nil {
		return nil
	}
	c.waitsSince = w.since
	c.half.end() // it is not the peer who is slow
	if s.reading.attend() {
		s.tasks.Go(s.attend)
	}
	late := time.NewTimer(roomPatience)
	defer late.Stop()
	select {
	case <-claim.settled:
	case <-late.C:
	case <-s.quit:
		s.reading.abandon(claim)
		return errServerClosed
	}
	if s.reading.abandon(claim) {
		return nil
	}
	return c.refuseRoom("no memory for its packet", "Too many large packets at once")
}

// refuseRoom ends a connection whose packet is to have no memory. The log and
// the peer are told why.
func (c *conn) refuseRoom(why, text string) error {
	bytes := len(c.in.b)
	putBuffer(c.in)
	c.in = nil
	c.giveRoom()
	c.server.log.Warn("connection closed: "+why+"; see read-memory", zap.String("from", c.peer.Full), zap.Int("bytes so far", bytes))
	c.server.visit(func(m *router.Machine, _ time.Time) {
		m.Count(router.ReadsOverReadMemory, 1)
		m.Refuse(c.router, protocol.QueueError, text+": read-memory is used up")
	})
	c.linger(lingerPacket)
	return errNoRoom
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
	claim := s.fetching.take(want{n: n, missing: n})
	if claim == nil {
		return true
	}
	select {
	case <-claim.settled:
		return true
	case <-s.quit:
		return false
	}
}

// giveRoom gives back what makeRoom took.
func (c *conn) giveRoom() {
	if c.room > 0 {
		c.server.hoards.remove(c)
		c.server.reading.give(c.room)
		c.room, c.waitsSince = 0, time.Time{}
	}
}

// shrink moves the few bytes that are left of a large buffer to a small one.
func (c *conn) shrink() {
	small := getBuffer()
	small.b = append(small.b, c.in.b...)
	c.in = small
	c.giveRoom()
}
