package server

import (
	"sync"

	"go.uber.org/zap"

	"gearbolt/router"
)

// An outbox is what waits to be written to one connection. The machine's sends
// are added under the server's lock; one goroutine at a time writes. A peer
// that does not read holds up nobody: on a socket the write is one attempt that
// does not block, and what it leaves goes to a goroutine of the connection's
// own.
type outbox struct {
	mu      sync.Mutex
	buf     *buffer // to be written next; nil: nothing
	writing int     // bytes that a writer has in hand
	hand    int     // memory of the buffer that they are in
	busy    bool    // somebody writes
	listed  bool    // in a turn that will flush
	last    bool    // close when all is written
	dead    bool    // the peer is gone, or reads too slowly
	slow    bool    // the latter
	limit   string  // by this limit

	waits   bool // the peer lets a write wait
	load    load // what the backlog counts of it
	backlog *backlog

	over chan struct{} // closed when nothing waits any more; nil: nobody wants to know
}

// add puts a send into the outbox. It reports whether the caller is to flush
// it. A peer that lets more than limit bytes wait is disconnected; one packet
// may be longer than that.
func (o *outbox) add(send router.Send, limit int) (flush bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dead {
		return false
	}
	if o.waiting() > limit {
		o.dead, o.slow, o.limit = true, true, "outbox-limit"
	} else {
		o.append(send)
	}
	flush = !o.listed
	o.listed = true
	return flush
}

// isCut reports whether the peer was given up because it does not read. What
// else it says is not listened to. Of one that has closed it is: clients leave a
// background job and go.
func (o *outbox) isCut() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.limit != ""
}

func (o *outbox) waiting() int {
	if o.buf == nil {
		return o.writing
	}
	return o.writing + len(o.buf.b)
}

func (o *outbox) append(send router.Send) {
	if len(send.Head)+len(send.Body) > 0 {
		if o.buf == nil {
			o.buf = getBuffer()
		}
		o.buf.b = append(append(o.buf.b, send.Head...), send.Body...)
	}
	o.last = o.last || send.Close
	if o.waits || o.buf != nil && cap(o.buf.b) > bufferKeep {
		o.recount()
	}
}

// flush writes what waits, unless somebody does so already, who will see it.
func (o *outbox) flush(c *conn) {
	o.mu.Lock()
	o.listed = false
	dead, busy, waiting := o.dead, o.busy, o.waiting()
	o.busy = !dead
	o.mu.Unlock()
	switch {
	case dead:
		o.giveUp(c, waiting)
	case busy:
	case c.raw == nil:
		c.server.writers.run(func() { o.drain(c, nil) })
	default:
		o.writeNow(c)
	}
}

// writesInARow is how many writes somebody does who has something better to do.
const writesInARow = 4

// writeNow writes without blocking. The caller has made the outbox busy. If
// others go on adding to it meanwhile, a goroutine takes over: the caller's own
// connection, or the store, waits for it.
func (o *outbox) writeNow(c *conn) {
	for range writesInARow {
		b := o.take(c)
		if b == nil {
			return
		}
		n, err := c.writeOnce(b.b)
		if err != nil {
			putBuffer(b)
			o.kill(c)
			return
		}
		if n < len(b.b) {
			c.server.writers.run(func() { o.drain(c, b.b[n:]) })
			return
		}
		putBuffer(b)
	}
	c.server.writers.run(func() { o.writeNow(c) })
}

// drain writes, and waits for the peer, until nothing is left.
func (o *outbox) drain(c *conn, rest []byte) {
	o.wait()
	if !o.writeAll(c, rest) {
		return
	}
	for b := o.take(c); b != nil; b = o.take(c) {
		if !o.writeAll(c, b.b) {
			return
		}
		putBuffer(b)
	}
}

// chunk is how many bytes are written before they count as written, so that
// a peer which reads a large result is not taken for one that does not.
const chunk = 256 << 10

// writeAll writes b and waits for the peer. It reports false when the
// connection is lost.
func (o *outbox) writeAll(c *conn, b []byte) bool {
	for len(b) > 0 {
		n, err := c.nc.Write(b[:min(len(b), chunk)])
		if err != nil {
			o.kill(c)
			return false
		}
		b = b[n:]
		o.wrote(len(b))
	}
	return true
}

// wrote notes that rest bytes of those in hand remain to be written.
func (o *outbox) wrote(rest int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.dead {
		o.writing = rest
	}
}

// giveUp ends a connection whose outbox is dead. A peer that read too slowly is
// worth a line in the log; one that is gone is not.
func (o *outbox) giveUp(c *conn, waiting int) {
	o.mu.Lock()
	slow, limit := o.slow, o.limit
	o.slow = false
	o.mu.Unlock()
	if slow {
		c.server.log.Warn("connection closed: the peer reads too slowly; see "+limit,
			zap.String("peer", c.peer.Full), zap.Int("bytes waiting", waiting))
	}
	if slow && limit == "outbox-limit" {
		c.server.count(router.OutboxesOverOutboxLimit)
	}
	o.kill(c)
}

// take takes what is to be written next. With nothing left the outbox is no
// longer busy, and the connection is closed if that was asked for.
func (o *outbox) take(c *conn) *buffer {
	o.mu.Lock()
	b := o.buf
	o.buf = nil
	if o.dead {
		b = nil
	}
	o.writing, o.hand = 0, 0
	if b != nil {
		o.writing, o.hand = len(b.b), cap(b.b)
	}
	if o.busy = b != nil; !o.busy {
		o.waits = false
	}
	if o.load.bytes > 0 || o.hand > bufferKeep {
		o.recount()
	}
	if b == nil {
		o.tell()
	}
	dead, end := o.dead, b == nil && o.last
	o.mu.Unlock()
	switch {
	case dead:
		c.close()
	case end:
		c.hangUp()
	}
	return b
}

// kill gives the connection up.
func (o *outbox) kill(c *conn) {
	o.mu.Lock()
	o.dead, o.busy, o.writing, o.hand, o.buf, o.waits = true, false, 0, 0, nil, false
	o.recount()
	o.tell()
	o.mu.Unlock()
	c.close()
}

// finished returns a channel that is closed when all that was added is written,
// or never will be.
func (o *outbox) finished() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over == nil {
		o.over = make(chan struct{})
	}
	over := o.over
	if o.dead || !o.busy && !o.listed && o.buf == nil {
		o.tell()
	}
	return over
}

// tell tells whoever waits for finished. o.mu is held.
func (o *outbox) tell() {
	if o.over != nil {
		close(o.over)
		o.over = nil
	}
}

// flushLast writes what a server that ends can still write without waiting.
func (o *outbox) flushLast(c *conn) {
	if c.raw != nil {
		o.flush(c)
	}
}
