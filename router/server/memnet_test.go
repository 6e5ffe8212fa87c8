package server

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// A network in memory, for synctest: who waits on it waits for somebody in the
// same bubble, and its deadlines are in virtual time. net.Pipe would not do,
// since a write to it waits for its reader: here a direction holds some bytes,
// as sockets do.

// windowSize is how many bytes a server can write that its peer does not read.
// What a test sends is never held up, so that a story is told by one goroutine.
const windowSize = 64 << 10

// A direction is one of the two in which bytes go over a connection.
type direction struct {
	mu                sync.Mutex
	changed           *sync.Cond
	bytes             []byte
	window            int  // 0: no bound
	ended             bool // the writer has closed
	gone              bool // the reader has closed
	readBy, writeBy   time.Time
	readFor, writeFor *time.Timer
}

func newDirection(window int) *direction {
	d := &direction{window: window}
	d.changed = sync.NewCond(&d.mu)
	return d
}

func (d *direction) read(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		switch {
		case d.gone:
			return 0, net.ErrClosed
		case past(d.readBy):
			return 0, os.ErrDeadlineExceeded
		case len(d.bytes) > 0:
			n := copy(b, d.bytes)
			d.bytes = d.bytes[n:]
			d.changed.Broadcast()
			return n, nil
		case d.ended:
			return 0, io.EOF
		}
		d.changed.Wait()
	}
}

func (d *direction) write(b []byte) (n int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for n < len(b) {
		switch {
		case d.ended:
			return n, net.ErrClosed
		case d.gone:
			return n, syscall.EPIPE
		case past(d.writeBy):
			return n, os.ErrDeadlineExceeded
		}
		part := len(b) - n
		if d.window > 0 {
			part = min(part, d.window-len(d.bytes))
		}
		if part == 0 {
			d.changed.Wait()
			continue
		}
		d.bytes = append(d.bytes, b[n:n+part]...)
		n += part
		d.changed.Broadcast()
	}
	return n, nil
}

// end is the writer's close, leave the reader's.
func (d *direction) end()   { d.set(func() { d.ended = true }) }
func (d *direction) leave() { d.set(func() { d.gone, d.bytes = true, nil }) }

func (d *direction) set(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
	d.changed.Broadcast()
}

// deadline sets one of d's deadlines, and looks again when it has come.
func (d *direction) deadline(by *time.Time, timer **time.Timer, t time.Time) {
	d.set(func() {
		if *timer != nil {
			(*timer).Stop()
		}
		if *by = t; !t.IsZero() {
			*timer = time.AfterFunc(time.Until(t), func() { d.set(func() {}) })
		}
	})
}

func past(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

// unread is how many bytes the reader has not taken.
func (d *direction) unread() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.bytes)
}

// isGone reports whether the reader has closed.
func (d *direction) isGone() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.gone
}

// take takes all there is, without waiting; over tells that no more will come.
func (d *direction) take() (b []byte, over bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b, d.bytes = d.bytes, nil
	d.changed.Broadcast()
	return b, d.ended
}

// A memConn is one end of a connection.
type memConn struct {
	in, out       *direction
	local, remote net.Addr
}

func (c *memConn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c *memConn) Write(b []byte) (int, error) { return c.out.write(b) }
func (c *memConn) LocalAddr() net.Addr         { return c.local }
func (c *memConn) RemoteAddr() net.Addr        { return c.remote }

func (c *memConn) Close() error {
	c.out.end()
	c.in.leave()
	return nil
}

func (c *memConn) CloseWrite() error {
	c.out.end()
	return nil
}

func (c *memConn) SetReadDeadline(t time.Time) error {
	c.in.deadline(&c.in.readBy, &c.in.readFor, t)
	return nil
}

func (c *memConn) SetWriteDeadline(t time.Time) error {
	c.out.deadline(&c.out.writeBy, &c.out.writeFor, t)
	return nil
}

func (c *memConn) SetDeadline(t time.Time) error {
	c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

// A memListener accepts what dial connects, and fails when it is told to.
type memListener struct {
	conns  chan net.Conn
	fails  chan error
	closed chan struct{}
	once   sync.Once
	addr   net.Addr
}

func newMemListener(addr net.Addr) *memListener {
	return &memListener{conns: make(chan net.Conn), fails: make(chan error, 16), closed: make(chan struct{}), addr: addr}
}

func (l *memListener) Accept() (net.Conn, error) {
	select {
	case err := <-l.fails:
		return nil, err
	default:
	}
	select {
	case err := <-l.fails:
		return nil, err
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *memListener) Addr() net.Addr { return l.addr }

// dial returns the client's end of a new connection, or nil if the listener is
// closed.
func (l *memListener) dial(from net.Addr) *memConn {
	requests, replies := newDirection(0), newDirection(windowSize)
	select {
	case l.conns <- &memConn{in: requests, out: replies, local: l.addr, remote: from}:
		return &memConn{in: replies, out: requests, local: from, remote: l.addr}
	case <-l.closed:
		return nil
	}
}
