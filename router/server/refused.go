package server

import (
	"io"
	"time"

	"go.uber.org/zap"

	"gearbolt/protocol"
)

// How long a peer that is turned away may take to read why, and how many may
// do so at a time: each holds a file descriptor, of which there are few by then.
const (
	farewellTime  = time.Second
	farewellLimit = 16
)

// turnAway refuses a connection. Its peer is told which limit is reached, but
// in TLS, where that would take a handshake. A socket that is new takes a
// packet without waiting.
func (s *Server) turnAway(c *conn, limit string) {
	s.log.Warn("connection refused", zap.String("from", c.peer.Full), zap.String("reason", limit+" is reached"))
	w, ok := c.nc.(interface{ CloseWrite() error })
	if c.nc != c.sock || !ok {
		c.close()
		return
	}
	c.nc.Write(protocol.AppendError(nil, protocol.QueueError, "Too many connections: "+limit+" is reached"))
	w.CloseWrite()
	if s.farewells.Add(1) > farewellLimit {
		s.farewells.Add(-1)
		c.close()
		return
	}
	s.tasks.Go(func() {
		defer s.farewells.Add(-1)
		defer c.close()
		defer s.whenEnding(c.close)()
		c.nc.SetReadDeadline(time.Now().Add(farewellTime))
		io.Copy(io.Discard, io.LimitReader(c.nc, lingerBytes)) // to close before its bytes are read would take ours from it
	})
}

// whenEnding calls f when the server ends, unless what it returns is called
// before.
func (s *Server) whenEnding(f func()) (stop func()) {
	over := make(chan struct{})
	go func() {
		select {
		case <-s.quit:
			f()
		case <-over:
		}
	}()
	return func() { close(over) }
}
