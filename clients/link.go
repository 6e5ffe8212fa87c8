package clients

import (
	"context"
	"errors"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// outLimit is how many bytes may wait to be written before who wants to
	// send more has to wait. A packet is never cut: one may exceed it.
	outLimit = 1 << 20
	// writeChunk is how many bytes are written at once, so that a large packet
	// shows that it moves.
	writeChunk = 256 << 10
)

// errSilent ends a connection on which ECHO_REQ was not answered.
var errSilent = errors.New("the server does not answer")

// A link is one connection to a server. One goroutine reads, another writes:
// what is to be sent gathers in a buffer, and all of it goes out with one
// write, so that a burst of packets costs one system call.
type link struct {
	nc net.Conn
	in reader

	wake    chan struct{} // holds a token when out is no longer empty
	dead    chan struct{} // closed by fail
	stopped chan struct{} // closed when the writer has ended
	written atomic.Uint64 // bytes that the operating system has taken

	// Owned by the reading goroutine: signs of life.
	health  func() // sends ECHO_REQ
	idle    time.Duration
	patient time.Duration
	probed  bool
	moved   uint64 // written, when it was last looked at

	mu    sync.Mutex // guards what follows, and the tables of the link's owner
	out   []byte
	spare []byte
	taken uint64        // bytes that the writer has taken from out
	room  chan struct{} // closed when the writer takes out; nil: nobody waits
	err   error         // why the link is dead
}

// newLink starts the writer of a connection. The server's first word must come
// within the time to dial.
func newLink(c *Config, nc net.Conn) *link {
	l := &link{
		nc:      nc,
		wake:    make(chan struct{}, 1),
		dead:    make(chan struct{}),
		stopped: make(chan struct{}),
		idle:    max(c.HealthInterval, 0),
		patient: c.HealthTimeout,
	}
	l.in = reader{nc: nc, limits: c.limits(), wait: c.DialTimeout, quiet: l.refuse, heard: func() { l.probed = false }}
	go l.write()
	return l
}

// refuse gives up on a server that has not said a word.
func (l *link) refuse() (time.Duration, error) { return 0, errSilent }

// greeted goes over from the time to dial to the times of the health checks.
func (l *link) greeted() { l.in.wait, l.in.quiet = l.idle, l.checkHealth }

// checkHealth asks a silent server for a sign of life, and gives it up when
// for a time neither a byte came nor one was taken.
func (l *link) checkHealth() (time.Duration, error) {
	moved := l.written.Load()
	still := moved == l.moved
	l.moved = moved
	switch {
	case !l.probed:
		l.probed = true
		l.health()
	case still:
		return 0, errSilent
	}
	return l.patient, nil
}

// begin waits until there is room to send and returns with l.mu locked. It
// fails when the link is dead or ctx ends, and then l.mu is not locked.
func (l *link) begin(ctx context.Context) error {
	l.mu.Lock()
	for l.err == nil && len(l.out) >= outLimit {
		if l.room == nil {
			l.room = make(chan struct{})
		}
		room := l.room
		l.mu.Unlock()
		select {
		case <-room:
		case <-l.dead:
		case <-ctx.Done():
			return ctx.Err()
		}
		l.mu.Lock()
	}
	if l.err != nil {
		l.mu.Unlock()
		return l.err
	}
	return nil
}

// end wakes the writer for what was appended to l.out, and unlocks l.mu.
func (l *link) end() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
	l.mu.Unlock()
}

// position is where the next byte of l.out will stand in all that was ever
// sent. l.mu is locked.
func (l *link) position() uint64 { return l.taken + uint64(len(l.out)) }

// fail ends the link for a reason; the first one counts.
func (l *link) fail(err error) {
	l.mu.Lock()
	if l.err != nil {
		l.mu.Unlock()
		return
	}
	l.err = err
	close(l.dead)
	l.mu.Unlock()
	l.nc.Close()
}

// write writes what gathers, until the link is dead.
func (l *link) write() {
	defer close(l.stopped)
	for {
		select {
		case <-l.wake:
		case <-l.dead:
			return
		}
		// Everybody who is ready to send does so first: one write for all.
		runtime.Gosched()
		if err := l.flush(l.take()); err != nil {
			l.fail(err)
			return
		}
	}
}

// take takes what is to be written, and lets those in who wait for room.
func (l *link) take() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	burst := l.out
	l.taken += uint64(len(burst))
	l.out, l.spare = l.spare[:0], nil
	if l.room != nil {
		close(l.room)
		l.room = nil
	}
	return burst
}

// flush writes a burst and keeps its buffer for the next.
func (l *link) flush(burst []byte) error {
	for chunk := range slices.Chunk(burst, writeChunk) {
		n, err := l.nc.Write(chunk)
		l.written.Add(uint64(n))
		if err != nil {
			return err
		}
	}
	if cap(burst) <= outLimit {
		l.mu.Lock()
		l.spare = burst
		l.mu.Unlock()
	}
	return nil
}
