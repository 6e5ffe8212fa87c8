package server

import (
	"time"

	"gearbolt/router"
)

// Connections that have a great deal for the machine to do stand in line for
// its lock, one behind the other: those whose messages come faster than they
// are stepped, and those that are lost with thousands of functions. All others
// then have at most one of them before them, and not fifty, whenever they come
// for the lock; and since the ones in line wait, there is a processor to look
// at the network.

// muchToDrop is how many functions of a lost connection are dropped in one
// visit to the machine at most, and littleToDrop how many without standing in
// line.
const (
	muchToDrop   = 256
	littleToDrop = 16
)

// hasMuch reports whether c, which has so many messages to be stepped now, has
// many more behind them.
func (c *conn) hasMuch(messages int) bool { return messages == burst || c.reads > quickReads }

// lock takes the machine's lock, in line if much is to be done.
func (s *Server) lock(much bool) {
	if much {
		s.line.Lock()
	}
	s.mu.Lock()
}

func (s *Server) unlock(much bool) {
	s.mu.Unlock()
	if much {
		s.line.Unlock()
	}
}

// disconnect tells the machine that c is lost.
func (c *conn) disconnect() {
	for more := c.disconnectPart(littleToDrop); more; {
		c.server.line.Lock()
		more = c.disconnectPart(muchToDrop)
		c.server.line.Unlock()
	}
}

// disconnectPart goes as far as one visit may. It reports whether there is more
// to do.
func (c *conn) disconnectPart(n int) (more bool) {
	c.server.visit(func(m *router.Machine, now time.Time) {
		if more = m.Dismiss(now, c.router, n); !more {
			c.server.regroup.leaves(c)
			m.Disconnect(now, c.router)
		}
	})
	return more
}
