package server

import (
	"errors"
	"time"
)

// A goroutine begins with a stack of 2 KiB, which is enough to wait for bytes
// but not to work on them, and a stack that has grown does not shrink while
// somebody waits on it. Most of ten thousand connections only wait. So the
// goroutine of a connection that is likely to be silent for long, now that it
// has had its say, leaves the waiting to a new one. That costs a microsecond.

// introduction is how many visits to the machine a new connection makes, often
// to say nothing for long after that.
const introduction = 4

// pause is how long a connection must have been silent for another such silence
// to be likely.
const pause = int64(time.Second)

// visited notes when the connection's messages were stepped.
func (c *conn) visited(now time.Time) {
	at := now.UnixNano()
	c.notePause(time.Duration(at - c.lastVisit))
	c.calm = c.visits < introduction || at-c.lastVisit > pause
	c.visits = min(c.visits+1, introduction)
	c.lastVisit = at
}

// errRests ends the reading of a goroutine that leaves it to another one.
var errRests = errors.New("read on by another goroutine")

// rests reports whether a new goroutine is to wait for c. One that has bytes at
// hand, or reads through TLS and needs a buffer to wait, gains nothing by it.
func (c *conn) rests() bool { return c.calm && c.in == nil && c.raw != nil }
