package server

import (
	"container/heap"
	"sync"
	"sync/atomic"

	"gearbolt/router"
)

// A backlog is what waits in the outboxes of all connections together, in bytes
// of memory, and which of them let most wait. What is written at once, which is
// nearly everything, is never counted: only outboxes that have outgrown the
// buffers of the pool, or whose peer has let a write wait. Under TLS every write
// may, and so counts for its moment.
type backlog struct {
	bytes atomic.Int64

	mu    sync.Mutex
	loads loads
}

// loads is a heap of what connections let wait, with the largest in front.
type loads []*load

// A load is what one connection lets wait.
type load struct {
	c     *conn
	bytes int // of memory
	at    int // in loads, from 1; 0: not there
}

func (l loads) Len() int           { return len(l) }
func (l loads) Less(i, j int) bool { return l[i].bytes > l[j].bytes }

func (l loads) Swap(i, j int) {
	l[i], l[j] = l[j], l[i]
	l[i].at, l[j].at = i+1, j+1
}

func (l *loads) Push(x any) {
	*l = append(*l, x.(*load))
	x.(*load).at = len(*l)
}

func (l *loads) Pop() any {
	end := len(*l) - 1
	x := (*l)[end]
	(*l)[end] = nil
	*l = (*l)[:end]
	x.at = 0
	return x
}

// set notes that l is so much now.
func (b *backlog) set(l *load, bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes.Add(int64(bytes - l.bytes))
	l.bytes = bytes
	switch {
	case bytes == 0:
		heap.Remove(&b.loads, l.at-1)
	case l.at == 0:
		heap.Push(&b.loads, l)
	default:
		heap.Fix(&b.loads, l.at-1)
	}
}

// worst returns the connection that lets most wait, or nil.
func (b *backlog) worst() *conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.loads) == 0 {
		return nil
	}
	return b.loads[0].c
}

// recount brings the backlog up to date. o.mu is held.
func (o *outbox) recount() {
	held := o.hand
	if o.buf != nil {
		held += cap(o.buf.b)
	}
	if !o.waits && held <= bufferKeep {
		held = 0
	}
	if held != o.load.bytes {
		o.backlog.set(&o.load, held)
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

// cut gives the peer up, and what waits for it. It reports whether it was not
// given up before, and whether the caller is to flush.
func (o *outbox) cut() (first, flush bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if first = !o.dead; first {
		o.dead, o.slow, o.limit = true, true, "outbox-memory"
		flush = !o.listed
		o.listed = true
	}
	o.buf, o.hand = nil, 0
	o.recount()
	return first, flush
}

// relieve cuts off the connections that let most wait, until three quarters of
// what may wait for all are not exceeded. s.mu is held.
func (s *Server) relieve(t *turn) {
	for s.backlog.bytes.Load() > s.opts.OutboxMemory/4*3 {
		c := s.backlog.worst()
		if c == nil {
			return
		}
		first, flush := c.out.cut()
		if first {
			s.machine.Count(router.OutboxesOverOutboxMemory, 1)
		}
		if flush {
			t.touched = append(t.touched, c)
		}
	}
}

// overloaded reports whether more waits than may.
func (s *Server) overloaded() bool {
	return s.opts.OutboxMemory > 0 && s.backlog.bytes.Load() > s.opts.OutboxMemory
}
