package clients

import (
	"sync"

	"gearbolt/protocol"
)

// A pool is a number of slots and the functions that share them. A free slot is
// spent on a grab before the grab is sent, and is free again when the server has
// no job for it, or the job is done: whatever servers answer, no job arrives
// without a slot.
type pool struct {
	worker    *Worker
	functions map[string]*function

	mu       sync.Mutex // guards what follows, and how lanes stand with their servers
	free     int        // slots; below 0 when servers hand out what nobody grabbed
	lanes    []*lane    // all that are connected
	turn     int        // the lane that was given a slot last
	stopping bool
}

func newPool(w *Worker, slots int) *pool {
	return &pool{worker: w, free: slots, functions: make(map[string]*function)}
}

// parks tells whether grabs may be left with a server.
func (p *pool) parks() bool { return len(p.worker.addresses) == 1 && !p.worker.cfg.NoParkedGrabs }

// parkLimit is how many grabs are left with a server at most. Gearbolt keeps
// 4096 for a connection.
const parkLimit = 1024

// A standing is how a lane stands with its server. Guarded by the pool's lock.
type standing struct {
	ready  bool // the server knows what the lane can do
	parked bool // it keeps grabs
	asked  int  // grabs that are not answered
	window int  // how many there may be in the old way: more, the more jobs come
	dry    bool // the last answer was that there is no job
	asleep bool // PRE_SLEEP was sent, and no NOOP has come
	jobs   int  // that run
	leave  bool // the last ECHO_REQ was sent
	grab   protocol.Type
}

// wants tells whether a lane has a use for a slot.
func (s *standing) wants() bool {
	limit := s.window
	if s.parked {
		limit = parkLimit
	}
	return s.ready && !s.asleep && !s.dry && s.asked < limit
}

// pump spends free slots. The pool's lock is held.
func (p *pool) pump() {
	for p.free > 0 && !p.stopping {
		l := p.wanting()
		if l == nil {
			return
		}
		p.free--
		l.asked++
		l.tell(l.grab)
	}
}

// wanting returns the next lane that wants a slot: they take turns.
func (p *pool) wanting() *lane {
	for range p.lanes {
		p.turn = (p.turn + 1) % len(p.lanes)
		if l := p.lanes[p.turn]; l.wants() {
			return l
		}
	}
	return nil
}

// stop takes back the grabs that servers keep; lanes leave when their last job
// is done.
func (p *pool) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopping {
		return
	}
	p.stopping = true
	for _, l := range p.lanes {
		switch {
		case !l.ready:
			p.worker.tasks.Go(func() { l.fail(ErrClosed) })
		case l.parked && l.asked > 0:
			l.tell(protocol.PreSleep)
		}
		l.settle()
	}
}

// settle leaves a server that owes no answer and is owed no result. An echo
// makes sure that it has heard all. The pool's lock is held.
func (l *lane) settle() {
	if l.pool.stopping && l.ready && l.asked == 0 && l.jobs == 0 && !l.leave {
		l.leave = true
		l.tell(protocol.EchoReq, bye)
	}
}

// answered takes back the slot of a grab that brought no job.
func (l *lane) answered() {
	if l.asked > 0 {
		l.asked--
		l.pool.free++
	}
}

// noJob is NO_JOB: the lane goes to sleep when it knows that for all its grabs.
// A server that keeps grabs says it only when they are taken back.
func (l *lane) noJob() {
	p := l.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	l.answered()
	l.dry, l.window = true, 1
	if !p.stopping {
		l.parked = false
		if l.asked == 0 {
			l.asleep = true
			l.tell(protocol.PreSleep)
		}
	}
	p.pump()
	l.settle()
}

// noop is NOOP: there may be a job.
func (l *lane) noop() {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	l.asleep, l.dry = false, false
	l.pool.pump()
}

// jobBegins turns the slot of a grab into that of a job; a server that hands out
// what nobody grabbed takes a slot that is missed later. Where there was one job
// there may be more.
func (l *lane) jobBegins() {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	if l.asked > 0 {
		l.asked--
	} else {
		l.pool.free--
	}
	l.jobs++
	l.dry = false
	l.window = min(2*l.window, parkLimit)
	l.pool.pump()
}

// jobDone makes the slot of a job free.
func (l *lane) jobDone() {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	l.jobs--
	l.pool.free++
	l.pool.pump()
	l.settle()
}
