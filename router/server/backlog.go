package server

import (
	"cmp"
	"slices"

	"gearbolt/router"
)

// The backlog is what waits in the outboxes of all connections together, in
// bytes of memory. What is written at once, which is nearly everything, is
// never counted: only outboxes that have outgrown the buffers of the pool, or
// whose peer has let a write wait.

// recount brings the backlog up to date. o.mu is held.
func (o *outbox) recount() {
	held := o.hand
	if o.buf != nil {
		held += cap(o.buf.b)
	}
	if !o.waits && held <= bufferKeep {
		held = 0
	}
	if held != o.counted {
		o.backlog.Add(int64(held - o.counted))
		o.counted = held
	}
}

// wait notes that the peer lets a write wait, until all is written.
func (o *outbox) wait() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.dead {
		o.waits = true
		o.recount()
	}
}

// cut gives the peer up, and what waits for it. It reports whether the caller
// is to flush.
func (o *outbox) cut() (flush bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dead {
		return false
	}
	o.dead, o.slow, o.limit = true, true, "outbox-memory"
	o.buf, o.hand = nil, 0
	o.recount()
	flush = !o.listed
	o.listed = true
	return flush
}

func (o *outbox) size() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.counted
}

// relieve cuts off the connections that let most wait, until three quarters of
// what may wait for all are not exceeded. s.mu is held.
func (s *Server) relieve(t *turn) {
	type load struct {
		c    *conn
		size int
	}
	var loads []load
	for c := range s.conns {
		if n := c.out.size(); n > 0 {
			loads = append(loads, load{c, n})
		}
	}
	slices.SortFunc(loads, func(a, b load) int { return cmp.Compare(b.size, a.size) })
	for _, l := range loads {
		if s.backlog.Load() <= s.opts.OutboxMemory/4*3 {
			return
		}
		if l.c.out.cut() {
			t.touched = append(t.touched, l.c)
		}
		s.machine.Count(router.OutboxesOverOutboxMemory, 1)
	}
}

// overloaded reports whether more waits than may.
func (s *Server) overloaded() bool {
	return s.opts.OutboxMemory > 0 && s.backlog.Load() > s.opts.OutboxMemory
}
