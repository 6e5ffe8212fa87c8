package server

import (
	"sync"
	"time"

	"go.uber.org/zap"

	"gearbolt/protocol"
	"gearbolt/router"
)

// leastRate is how many bytes a second a message must make progress by that is
// not here within Options.ReadTimeout.
const leastRate = 1 << 10

// A half is a message that has begun to arrive and is not complete. The reader
// of the connection notes its progress; the sweep looks at it. Whole messages,
// which are nearly all, cost nothing.
type half struct {
	of bool // there is one; the reader's own

	mu      sync.Mutex
	since   int64   // the sweep after which it began, or was last found to make progress; 0: there is none
	then    int     // bytes that had come then
	now     arrival // how far it has come
	cut     int64   // the sweep that gave the connection up; 0: none
	evicted int64   // the message that is to give its memory back: hoard.go; 0: none
}

// An arrival is how far a message has come.
type arrival struct {
	message    int64 // of its connection, by number
	have, need int   // bytes of it, of how many
	room       int64 // of the read memory, that it has
}

// begin notes a new message, progress how much of it has come.
func (h *half) begin(sweep int64, a arrival) {
	h.of = true
	h.mu.Lock()
	defer h.mu.Unlock()
	a.message = h.now.message + 1
	h.since, h.then, h.now = sweep, 0, a
}

func (h *half) progress(a arrival) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a.message = h.now.message
	h.now = a
}

// arrival returns how far the message has come, if there is one and its peer is
// to send more of it.
func (h *half) arrival() (a arrival, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now, h.since != 0
}

// end notes that the message is complete, or that its peer is not to be blamed
// if it is not.
func (h *half) end() {
	if !h.of {
		return
	}
	h.of = false
	h.mu.Lock()
	defer h.mu.Unlock()
	h.since = 0
}

// A verdict is what the sweep thinks of a half.
type verdict uint8

const (
	patient  verdict = iota
	late             // the peer has let the time pass without enough progress
	hopeless         // it was told so, and its connection is still there
)

// judge is called by the sweep, every time, and says late once.
func (h *half) judge(sweep int64, timeout time.Duration) (v verdict, bytes int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	passed := time.Duration(sweep-h.since-1) * sweepEvery
	switch {
	case h.cut > 0 && sweep-h.cut > 1:
		return hopeless, h.now.have
	case h.cut > 0 || h.since == 0 || passed < timeout:
		return patient, 0
	case h.now.have-h.then >= int(passed.Seconds()*leastRate):
		h.since, h.then = sweep, h.now.have
		return patient, 0
	}
	h.cut = sweep
	return late, h.now.have
}

// cutLate ends a connection whose message takes too long to arrive.
func (c *conn) cutLate(bytes int) {
	c.server.log.Info("connection closed: a message took too long to arrive; see read-timeout",
		zap.String("from", c.peer.Full), zap.Int("bytes so far", bytes))
	c.server.visit(func(m *router.Machine, _ time.Time) {
		m.Count(router.ReadsOverReadTimeout, 1)
		m.Refuse(c.router, protocol.InvalidPacket, "The packet did not arrive in time: read-timeout")
	})
}
