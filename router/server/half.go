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

	mu    sync.Mutex
	since int64 // the sweep after which it began, or was last found to make progress; 0: there is none
	then  int   // bytes that had come then
	now   int   // bytes that have come
	cut   int64 // the sweep that gave the connection up; 0: none
}

// begin notes a new message, progress how much of it has come.
func (h *half) begin(sweep int64, bytes int) {
	h.of = true
	h.mu.Lock()
	defer h.mu.Unlock()
	h.since, h.then, h.now = sweep, 0, bytes
}

func (h *half) progress(bytes int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = bytes
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
		return hopeless, h.now
	case h.cut > 0 || h.since == 0 || passed < timeout:
		return patient, 0
	case h.now-h.then >= int(passed.Seconds()*leastRate):
		h.since, h.then = sweep, h.now
		return patient, 0
	}
	h.cut = sweep
	return late, h.now
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
