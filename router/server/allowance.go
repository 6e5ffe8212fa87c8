package server

import (
	"container/list"
	"sync"
	"time"
)

// An allowance is memory that all connections share. Who wants more than is
// left waits for others to give some back: first those who have some already,
// since they give it all back when they have the rest, the one that lacks least
// before the others; then those who have none, in turn.
type allowance struct {
	mu       sync.Mutex
	limit    int64 // 0: no bound
	used     int64
	goOn     line // of those who have some, who lacks least in front
	begin    line // of those who have none, who came first in front
	attended bool // somebody looks after those who wait: hoard.go
}

// A want is what somebody asks of an allowance, in bytes.
type want struct {
	n       int64     // to be had now
	own     int64     // had already
	missing int64     // that will be asked for, n included
	since   time.Time // when it began to wait for any of them
}

// A claim is a want that waits. settled is closed when it does no longer, and
// granted tells then whether the bytes are there.
type claim struct {
	want
	settled chan struct{}
	granted bool

	line *line // that it waits in; nil: settled
	at   *list.Element
}

// A line is claims that wait.
type line struct{ list.List }

// add has c stand behind those who lack as little.
func (l *line) add(c *claim) {
	e := l.Back()
	for e != nil && e.Value.(*claim).missing > c.missing {
		e = e.Prev()
	}
	if e == nil {
		c.at = l.PushFront(c)
	} else {
		c.at = l.InsertAfter(c, e)
	}
	c.line = l
}

// claims yields them; each may leave the line meanwhile.
func (l *line) claims(yield func(*claim) bool) {
	for e := l.Front(); e != nil; {
		c := e.Value.(*claim)
		if e = e.Next(); !yield(c) {
			return
		}
	}
}

// take takes w.n bytes, or returns what to wait for. Who asks for more than there
// is gets it when nobody else has any.
func (a *allowance) take(w want) *claim {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fits(w) && (w.own > 0 || a.goOn.Len()+a.begin.Len() == 0) {
		a.used += w.n
		return nil
	}
	c := &claim{want: w, settled: make(chan struct{})}
	if w.own > 0 {
		a.goOn.add(c)
	} else {
		c.line, c.at = &a.begin, a.begin.PushBack(c)
	}
	return c
}

func (a *allowance) fits(w want) bool {
	return a.limit <= 0 || a.used == w.own || a.used+w.n <= a.limit
}

// give gives n bytes back.
func (a *allowance) give(n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.used -= n
	a.handOut()
}

func (a *allowance) setLimit(n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.limit = n
	a.handOut()
}

// abandon ends a claim, and reports whether it was granted before.
func (a *allowance) abandon(c *claim) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c.line != nil {
		a.settle(c, false)
		a.handOut()
	}
	return c.granted
}

// handOut grants what there is enough for. Those who have some already are few:
// each has at least as much as it fills a buffer with. a.mu is held.
func (a *allowance) handOut() {
	for c := range a.goOn.claims {
		if a.fits(c.want) {
			a.settle(c, true)
		}
	}
	for c := range a.begin.claims {
		if a.goOn.Len() > 0 || !a.fits(c.want) {
			return
		}
		a.settle(c, true)
	}
}

func (a *allowance) settle(c *claim, granted bool) {
	if c.granted = granted; granted {
		a.used += c.n
	}
	c.line.Remove(c.at)
	c.line = nil
	close(c.settled)
}

// attend reports whether the caller is to look after those who wait.
func (a *allowance) attend() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	idle := !a.attended
	a.attended = true
	return idle
}

// awaited reports whether anybody waits. If not, nobody looks any more.
func (a *allowance) awaited() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.attended = a.goOn.Len()+a.begin.Len() > 0
	return a.attended
}

// foresight is how many times what somebody wants now is got for it at once, if
// its packet is that large. What it only announces counts for no more.
const foresight = 8

func (w want) foreseen() int64 { return min(w.missing, foresight*w.n) }

// lacking returns how many bytes those lack that have waited since then or
// longer: none if nobody has.
func (a *allowance) lacking(then time.Time) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	wanted := int64(0)
	for _, l := range []*line{&a.goOn, &a.begin} {
		for c := range l.claims {
			if !c.since.After(then) {
				wanted += c.foreseen()
			}
		}
	}
	if wanted == 0 { // what exceeds a limit that was lowered is missed by nobody
		return 0
	}
	return wanted + a.used - a.limit
}

// sacrifice ends claims of those who lack most, if all of so many who have some
// wait for more, and so for each other: until there is enough for who lacks
// least.
func (a *allowance) sacrifice(holders int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.goOn.Len() < max(holders, 2) {
		return
	}
	first := a.goOn.Front().Value.(*claim)
	for lacks := a.used - a.limit + first.foreseen(); lacks > 0 && a.goOn.Len() > 1; {
		last := a.goOn.Back().Value.(*claim)
		a.settle(last, false)
		lacks -= last.own
	}
}
