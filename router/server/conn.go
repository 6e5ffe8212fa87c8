package server

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"gearbolt/protocol"
	"gearbolt/router"
)

// A conn is one connection's socket and what is read from it.
type conn struct {
	server *Server
	peer   router.Peer
	sock   net.Conn        // as it was accepted
	nc     net.Conn        // what is read and written: sock, or TLS around it
	raw    syscall.RawConn // of a plain socket; nil: nc is read and written as a stream
	router *router.Conn
	out    outbox

	closeOnce sync.Once

	batch int64 // the last that it has had something in, by number: regroup.go; under the server's lock

	// Of the reading goroutine.
	in         *buffer // bytes that are no whole message yet; nil: none
	half       half
	room       int64     // of Options.ReadMemory that in takes
	waitsSince time.Time // when its packet first waited for room; zero: it has not
	begun      bool      // the first bytes have been looked at
	reads      int       // in a row that found something
	turn       turn

	// When it was heard last: rest.go.
	lastVisit int64 // Unix nanoseconds
	visits    int   // up to introduction
	calm      bool  // likely to be silent for long

	// Whether its peer waits for acknowledgements: quickack_linux.go.
	unanswered bool // its last messages had no answer
	ackNow     bool // it has been seen to wait

	// What writeOnce and readOnce say to the functions that the socket calls
	// back, which are made once so that no write costs a closure.
	writeFunc, readFunc func(fd uintptr) bool
	writing             []byte
	written             int
	writeErr, readErr   error
}

func newConn(s *Server, sock net.Conn, tlsConfig *tls.Config) *conn {
	c := &conn{server: s, sock: sock, nc: sock, peer: peerOf(sock)}
	c.peer.Owner, c.turn.reader = c, c
	c.out.backlog, c.out.load.c = &s.backlog, c
	if tlsConfig != nil {
		c.nc = tls.Server(sock, tlsConfig)
	} else if sc, ok := sock.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			c.raw = raw
			c.writeFunc, c.readFunc = c.writeSocket, c.readSocket
		}
	}
	return c
}

// peerOf says who is at the other end.
func peerOf(nc net.Conn) router.Peer {
	if a, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		return router.Peer{Addr: a.AddrPort().Addr().Unmap().WithZone("").String(), Full: a.String()}
	}
	_, local := nc.RemoteAddr().(*net.UnixAddr)
	return router.Peer{Addr: nc.LocalAddr().Network(), Full: nc.LocalAddr().Network(), Local: local}
}

// begin is the first of a connection's goroutines.
func (c *conn) begin() {
	if c.handshake() {
		c.server.visit(func(m *router.Machine, _ time.Time) { c.router = m.Connect(c.peer) })
	}
	if c.router != nil { // else there was no handshake, or the server is closed
		c.serve()
		return
	}
	c.server.leave(c)
}

// serve reads until the connection ends, or another goroutine takes over.
func (c *conn) serve() {
	err := c.readAll()
	if err == errRests {
		go c.serve()
		return
	}
	c.end(err)
	c.server.leave(c)
}

// end follows the end of reading. All that arrived before it is processed:
// clients that submit a background job and close at once lose nothing. A peer
// that has closed only its own half is told all that there is to say; one that
// is gone altogether shows as soon as something is written.
func (c *conn) end(err error) {
	s := c.server
	if errors.Is(err, io.EOF) {
		c.awaitCommits(s.unanswered)
	}
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && !errors.Is(err, errHungUp) {
		s.log.Debug("connection ends", zap.String("from", c.peer.Full), zap.Error(err))
	}
	c.disconnect()
	if errors.Is(err, io.EOF) {
		<-c.out.finished()
	}
	if c.in != nil {
		putBuffer(c.in)
	}
	c.giveRoom()
}

// close closes the socket; its reader and its writer end with an error. It does
// not say goodbye in TLS, which might have to wait for the peer.
func (c *conn) close() { c.closeOnce.Do(func() { c.sock.Close() }) }

// errHungUp ends the reading of a connection that the machine has closed.
var errHungUp = errors.New("closed by the server")

// lingerTime and lingerBytes bound how long the peer of a connection that we
// end may take to read our last words: to close at once with bytes of the
// peer's unread would take them from it. Most clients read only when they have
// written all of a packet, which may be large.
const (
	lingerTime   = 2 * time.Second
	lingerBytes  = 1 << 20
	lingerPacket = 128 << 20
)

// hangUp ends a connection after its last byte was written.
func (c *conn) hangUp() {
	if w, ok := c.nc.(interface{ CloseWrite() error }); !ok || w.CloseWrite() != nil {
		c.close()
		return
	}
	c.nc.SetReadDeadline(time.Now().Add(lingerTime))
}

// linger reads what the peer still sends, and drops it, until it closes, has
// sent that many bytes, or the time is over.
func (c *conn) linger(bytes int64) {
	c.nc.SetReadDeadline(time.Now().Add(lingerTime))
	io.Copy(io.Discard, io.LimitReader(c.nc, bytes))
}

// refuse ends a connection whose bytes are no messages.
func (c *conn) refuse(cause error) {
	var r *protocol.RefusedError
	if !errors.As(cause, &r) {
		r = new(protocol.RefusedError)
	}
	c.server.log.Info("connection closed", zap.String("from", c.peer.Full), zap.Error(cause))
	c.server.visit(func(m *router.Machine, _ time.Time) {
		m.Count(router.PacketsRefused, 1)
		m.Refuse(c.router, r.Code, r.Text)
	})
}
