package server

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"sync"
	"time"
)

// Whoever sends a large packet slowly has read memory for long. That does no
// harm while there is enough of it. While somebody waits for some, the server
// looks every second who sends how fast, and when one has waited for roomGrace it
// cuts off those who would keep others waiting: not the ones that will be done
// before the patience of those who wait is over, and first those who would have
// most of the memory for longest.
const (
	lookEvery = time.Second
	roomGrace = 3 * lookEvery // and for that long it looks at how fast somebody sends
)

// hoards are the connections that have some of the read memory.
type hoards struct {
	mu  sync.Mutex
	all map[*conn]struct{}
}

func (h *hoards) add(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all == nil {
		h.all = make(map[*conn]struct{})
	}
	h.all[c] = struct{}{}
}

func (h *hoards) remove(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.all, c)
}

// arrivals returns how far the packets have come that peers are to send on, and
// how many connections have read memory in all.
func (h *hoards) arrivals() (of map[*conn]arrival, all int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	of = make(map[*conn]arrival, len(h.all))
	for c := range h.all {
		if a, ok := c.half.arrival(); ok {
			of[c] = a
		}
	}
	return of, len(h.all)
}

// attend looks after those who wait for read memory, until nobody does.
func (s *Server) attend() {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	var looks [roomGrace / lookEvery]map[*conn]arrival // the last ones, in turn
	for i := 0; s.reading.awaited(); i = (i + 1) % len(looks) {
		now, all := s.hoards.arrivals()
		if lacking := s.reading.lacking(time.Now().Add(-roomGrace)); lacking > 0 && len(now) > 0 {
			s.cutHoards(slowest(looks[i], now), lacking)
		} else if lacking > 0 {
			s.reading.sacrifice(all)
		}
		looks[i] = now
		select {
		case <-s.quit:
			return
		case <-t.C:
		}
	}
}

// A hoard is read memory of a packet that comes slowly.
type hoard struct {
	c    *conn
	at   arrival
	cost float64 // bytes of memory times the seconds that they will not be had by others
}

// slowest returns the packets that will not be here soon, the one that costs most
// first, by how far they came from one look to another.
func slowest(before, now map[*conn]arrival) (slow []hoard) {
	for c, a := range now {
		b, ok := before[c]
		if !ok || b.message != a.message {
			continue // it has begun since
		}
		rate := float64(a.have-b.have) / roomGrace.Seconds()
		if left := float64(a.need-a.have) / max(rate, 1); left > roomPatience.Seconds() {
			slow = append(slow, hoard{c, a, float64(a.room) * left})
		}
	}
	slices.SortFunc(slow, func(a, b hoard) int { return cmp.Compare(b.cost, a.cost) })
	return slow
}

// cutHoards cuts connections off until they have had so many bytes.
func (s *Server) cutHoards(slow []hoard, lacking int64) {
	for _, h := range slow {
		if lacking <= 0 {
			return
		}
		if h.c.evict(h.at.message) {
			lacking -= h.at.room
		}
	}
}

// evict has c's reader give its memory back, if it is still at that message. It
// reports whether it will.
func (c *conn) evict(message int64) bool {
	h := &c.half
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.since == 0 || h.now.message != message || h.evicted == message {
		return false
	}
	h.evicted = message
	c.nc.SetReadDeadline(time.Unix(1, 0)) // long ago
	return true
}

// eviction is what has become of a message that was to give its memory back.
type eviction uint8

const (
	notEvicted eviction = iota
	due
	tooLate // it was complete by then
)

func (h *half) eviction() eviction {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.evicted == 0:
		return notEvicted
	case h.since != 0 && h.evicted == h.now.message:
		return due
	}
	h.evicted = 0
	return tooLate
}

// failed ends c's reading for err, unless that was to evict a message which has
// become complete meanwhile.
func (c *conn) failed(err error) error {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	switch c.half.eviction() {
	case due:
		return c.refuseRoom("its packet comes too slowly while others wait", "The packet comes too slowly while others wait")
	case tooLate:
		c.nc.SetReadDeadline(time.Time{})
		if c.hungUp() { // that had a deadline, too
			c.linger(lingerBytes)
			return errHungUp
		}
		return nil
	}
	return err
}

// hungUp reports whether the machine has closed c.
func (c *conn) hungUp() bool {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	return c.router.Closing()
}
