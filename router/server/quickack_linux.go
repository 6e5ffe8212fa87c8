package server

import (
	"time"

	"golang.org/x/sys/unix"

	"gearbolt/protocol"
)

// A worker library that leaves Nagle's algorithm on (Node's do) and says
// PRE_SLEEP or GRAB_JOB in a second write behind WORK_COMPLETE has to wait for
// the kernel to acknowledge the first, which it puts off for about 40 ms, since
// there is no answer to send along. Such a worker shows by that pause, and from
// then on what is not answered is acknowledged at once. For all others that
// would be a system call and a packet for nothing.

// Pauses of that kind, as they are seen here.
const (
	minAckDelay = 35 * time.Millisecond
	maxAckDelay = 60 * time.Millisecond
)

// notePause notes how long c was silent behind what had no answer.
func (c *conn) notePause(d time.Duration) {
	if c.unanswered && d >= minAckDelay && d <= maxAckDelay {
		c.ackNow = true
	}
}

// acknowledge follows the messages that were stepped last: it has the kernel
// acknowledge them if the peer is known to wait for that.
func (c *conn) acknowledge(last protocol.Message, answered bool) {
	c.unanswered = !answered && isWork(last.Type)
	if !c.unanswered || !c.ackNow || c.raw == nil {
		return
	}
	c.raw.Control(func(fd uintptr) {
		unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) // a unix socket refuses, and needs it not
	})
}

// isWork tells the packets that have no answer.
func isWork(t protocol.Type) bool {
	switch t {
	case protocol.WorkComplete, protocol.WorkFail, protocol.WorkException,
		protocol.WorkData, protocol.WorkStatus, protocol.WorkWarning:
		return true
	}
	return false
}
