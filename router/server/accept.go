package server

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"go.uber.org/zap"

	"gearbolt/router"
)

// acceptPause is how long accepting rests when the process has no file
// descriptor left; the connections that are open go on.
const acceptPause = 100 * time.Millisecond

// Serve accepts connections from l until it or the server is closed, and then
// returns nil. With tlsConfig every connection speaks TLS from its first byte.
func (s *Server) Serve(l net.Listener, tlsConfig *tls.Config) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		l.Close()
		return errServerClosed
	}
	s.listeners[l] = struct{}{}
	s.tasks.Add(1)
	s.mu.Unlock()
	defer s.tasks.Done()
	for {
		nc, err := l.Accept()
		switch {
		case err == nil:
			s.accept(nc, tlsConfig)
		case errors.Is(err, net.ErrClosed):
			return nil
		default:
			s.count(router.ConnectionsOverDescriptors)
			s.log.Warn("accepting rests", zap.Error(err), zap.Duration("for", acceptPause))
			if !s.rest(acceptPause) {
				return nil
			}
		}
	}
}

// rest waits; it reports false when the server closes meanwhile.
func (s *Server) rest(d time.Duration) bool {
	select {
	case <-s.quit:
		return false
	case <-time.After(d):
		return true
	}
}

// accept begins a connection, unless there are too many.
func (s *Server) accept(nc net.Conn, tlsConfig *tls.Config) {
	c := newConn(s, nc, tlsConfig)
	switch why := s.enter(c); why {
	case router.ConnectionsAccepted:
	case router.ConnectionsOverMaxConnections:
		s.turnAway(c, "max-connections")
		return
	case router.ConnectionsOverMaxConnectionsPerAddress:
		s.turnAway(c, "max-connections-per-address")
		return
	default:
		c.close()
		return
	}
	s.setSocketOptions(nc)
	go c.begin()
}

// serverIsClosed is why a connection comes too late.
const serverIsClosed router.Counter = 255

// enter counts a connection in, or says why it cannot be had.
func (s *Server) enter(c *conn) (why router.Counter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return serverIsClosed
	case s.opts.MaxConnections > 0 && len(s.conns) >= s.opts.MaxConnections:
		why = router.ConnectionsOverMaxConnections
	case s.opts.MaxConnectionsPerAddress > 0 && s.perAddress[c.peer.Addr] >= s.opts.MaxConnectionsPerAddress:
		why = router.ConnectionsOverMaxConnectionsPerAddress
	default:
		why = router.ConnectionsAccepted
		s.conns[c] = struct{}{}
		s.perAddress[c.peer.Addr]++
		s.tasks.Add(1)
	}
	s.machine.Count(why, 1)
	return why
}

// leave counts a connection out.
func (s *Server) leave(c *conn) {
	defer s.tasks.Done()
	c.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.perAddress[c.peer.Addr]--; s.perAddress[c.peer.Addr] == 0 {
		delete(s.perAddress, c.peer.Addr)
	}
}

// handshake begins TLS where the listener speaks it. It runs on the
// connection's own goroutine, so that one that stalls holds up nobody.
func (c *conn) handshake() bool {
	t, ok := c.nc.(*tls.Conn)
	if !ok {
		return true
	}
	c.server.mu.Lock()
	limit := c.server.opts.HandshakeTimeout
	c.server.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := t.HandshakeContext(ctx); err != nil {
		c.server.count(router.HandshakesFailed)
		c.server.log.Info("TLS handshake failed", zap.String("from", c.peer.Full), zap.Error(err))
		return false
	}
	return true
}
