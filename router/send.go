package router

import (
	"gearbolt/protocol"
)

// Replies keep their order (house law 4): clients match JOB_CREATED by order,
// not by name. A reply that must wait for the store reserves its place on the
// connection, and all that comes later on that connection waits behind it.

// A Send is bytes for one connection: Head, then Body. Both are the machine's
// or the caller's of Step, and stay as they are until Sends has been called;
// from then on they are to be copied or written before the next event.
type Send struct {
	Conn  *Conn
	Head  []byte
	Body  []byte
	Close bool // after these bytes the connection is to be closed
}

// Sends returns, in order, what may be said since it was last called. It is
// good until the next event.
func (m *Machine) Sends() []Send {
	s := m.sends
	m.reclaim()
	m.said = 0
	if m.sends = m.sends[:0]; cap(m.sends) > sendsLimit {
		m.sends = nil
	}
	if cap(m.arena) > arenaLimit {
		m.arena = nil
	}
	m.arena = m.arena[:0]
	return s
}

// Said is how many bytes were said since Sends was last called, those that wait
// for their turn included. One message can have a great many said, so who steps
// several looks at it in between.
func (m *Machine) Said() int { return m.said }

// send adds to what Sends returns.
func (m *Machine) send(s Send) {
	m.sends = append(m.sends, s)
	m.said += len(s.Head) + len(s.Body)
}

// arenaLimit and sendsLimit are the most memory that is kept for the next event,
// in bytes and in sends.
const (
	arenaLimit = 1 << 20
	sendsLimit = 4096
)

// held is a place in a connection's replies.
type held struct {
	bytes   []byte
	waiting bool
	close   bool
}

// say sends what was appended to the arena from start on, and then body.
func (m *Machine) say(c *Conn, start int, body []byte) {
	m.sayBytes(c, m.arena[start:len(m.arena):len(m.arena)], body)
}

// sayBytes sends head and then body, which stay as they are until Sends has been
// called.
func (m *Machine) sayBytes(c *Conn, head, body []byte) {
	switch {
	case c.gone || c.closing:
	case len(c.held) == 0:
		m.send(Send{Conn: c, Head: head, Body: body})
	default:
		b := make([]byte, 0, len(head)+len(body))
		m.hold(c, held{bytes: append(append(b, head...), body...)})
	}
}

// sayPacket sends a packet without arguments or with one.
func (m *Machine) sayPacket(c *Conn, t protocol.Type, arg ...[]byte) {
	start := len(m.arena)
	m.arena = protocol.Append(m.arena, protocol.Res, t, arg...)
	m.say(c, start, nil)
}

func (m *Machine) sayError(c *Conn, code protocol.ErrorCode, text string) {
	start := len(m.arena)
	m.arena = protocol.AppendError(m.arena, code, text)
	m.say(c, start, nil)
}

func (m *Machine) sayText(c *Conn, text string) {
	start := len(m.arena)
	m.arena = append(m.arena, text...)
	m.say(c, start, nil)
}

// close ends a connection after all that has been said on it.
func (m *Machine) close(c *Conn) {
	switch {
	case c.gone || c.closing:
		return
	case len(c.held) == 0:
		m.send(Send{Conn: c, Close: true})
		c.closed = true
	default:
		c.push(held{close: true})
	}
	c.end()
}

// end lets c go as far as it is a sleeping worker, which a job would only be
// lost to; the rest follows when it is disconnected.
func (c *Conn) end() {
	c.closing = true
	c.parked = nil
	if c.sleep == asleep {
		c.sleep = up
	}
}

// Refuse ends a connection whose bytes cannot be read on. The peer is told
// code and text first, unless they are empty.
func (m *Machine) Refuse(c *Conn, code protocol.ErrorCode, text string) {
	if code != "" {
		m.sayError(c, code, text)
	}
	m.close(c)
}

// hold puts h behind what waits already.
func (m *Machine) hold(c *Conn, h held) {
	c.push(h)
	m.count(c, len(h.bytes))
}

// count adds bytes that wait on a connection. One that lets too many wait is
// closed, and of all the one that lets most wait when they are too many together.
func (m *Machine) count(c *Conn, bytes int) {
	c.heldBytes += bytes
	m.heldBytes += int64(bytes)
	m.said += bytes
	switch {
	case m.cfg.ReplyLimit > 0 && c.heldBytes > m.cfg.ReplyLimit:
		m.Count(RepliesOverOutboxLimit, 1)
		m.cutOff(c)
	case m.cfg.Limits.Replies > 0 && m.heldBytes > m.cfg.Limits.Replies:
		m.Count(RepliesOverOutboxMemory, 1)
		m.cutOff(m.heaviest())
	}
}

// heaviest is the connection on which most bytes wait. To cut it off makes room
// for at least the share of one connection, which pays for the walk.
func (m *Machine) heaviest() (worst *Conn) {
	for c := range m.conns.all {
		if worst == nil || c.heldBytes > worst.heldBytes {
			worst = c
		}
	}
	return worst
}

// cutOff closes a connection without what waits on it.
func (m *Machine) cutOff(c *Conn) {
	m.send(Send{Conn: c, Close: true})
	m.unhold(c)
	c.closed = true
	c.end()
}

// unhold forgets what waits on a connection.
func (m *Machine) unhold(c *Conn) {
	m.heldBytes -= int64(c.heldBytes)
	c.held, c.heldBytes = nil, 0
}

// reserve keeps the next place of c for a reply that comes later, and returns
// the place's number.
func (m *Machine) reserve(c *Conn) uint64 {
	c.push(held{waiting: true})
	return c.heldFirst + uint64(len(c.held)) - 1
}

// fill says, at the place reserved, what was appended to the arena from start
// on, and then body; and after it what waited only for that.
func (m *Machine) fill(c *Conn, place uint64, start int, body []byte) {
	if c.gone || c.closed {
		return
	}
	head := m.arena[start:len(m.arena):len(m.arena)]
	if place != c.heldFirst {
		h := &c.held[place-c.heldFirst]
		h.bytes = append(append(make([]byte, 0, len(head)+len(body)), head...), body...)
		h.waiting = false
		m.count(c, len(h.bytes))
		return
	}
	m.send(Send{Conn: c, Head: head, Body: body})
	m.release(c, 1)
}

// release drops the first done places and says what waited behind them.
func (m *Machine) release(c *Conn, done int) {
	for ; done < len(c.held) && !c.held[done].waiting; done++ {
		h := &c.held[done]
		c.heldBytes -= len(h.bytes)
		m.heldBytes -= int64(len(h.bytes))
		m.send(Send{Conn: c, Head: h.bytes, Close: h.close})
		c.closed = h.close
		h.bytes = nil
	}
	c.heldFirst += uint64(done)
	if c.held = c.held[done:]; len(c.held) == 0 {
		c.held = c.heldSpace[:0]
	}
}

// heldKept is for how many places a connection keeps memory while it has none.
const heldKept = 64

// push adds a place behind the last one.
func (c *Conn) push(h held) {
	if n := len(c.held); n == cap(c.held) {
		grown := make([]held, n, max(2*n, 4))
		copy(grown, c.held)
		c.held, c.heldSpace = grown, nil
		if cap(grown) <= heldKept {
			c.heldSpace = grown
		}
	}
	c.held = append(c.held, h)
}
