package router

import (
	"container/heap"
	"time"
)

// wallCheck is how often the machine wants to be told the time while something
// waits for a time of day, and wallStep by how much the wall clock must have
// been set to be noticed.
const (
	wallCheck = time.Second
	wallStep  = int64(time.Millisecond)
)

// A clock turns the times that events come with into one line: nanoseconds
// since the machine began, never backwards and not disturbed when somebody
// sets the wall clock.
type clock struct {
	began time.Time
	now   int64
	shift int64 // the wall clock, in Unix nanoseconds, is now + shift
}

func (c *clock) start(now time.Time) {
	c.began = now
	c.shift = now.UnixNano()
}

// time turns a point of the line back into a time for a timer.
func (c *clock) time(at int64) time.Time { return c.began.Add(time.Duration(at)) }

// wall is the time of day.
func (c *clock) wall() time.Time { return time.Unix(0, c.now+c.shift) }

// advance notes that it is now. When the wall clock was set meanwhile, all
// that waits for a time of day moves on the line.
func (m *Machine) advance(now time.Time) {
	c := &m.clock
	c.now = max(c.now, int64(now.Sub(c.began)))
	shift := now.UnixNano() - c.now
	if d := shift - c.shift; d < wallStep && d > -wallStep {
		return
	}
	c.shift = shift
	m.deadlines.rewind(shift)
}

// A deadline is something that happens at a time. It lies in what it belongs
// to.
type deadline struct {
	at    int64  // on the clock's line
	wall  int64  // Unix nanoseconds, for a time of day; else 0
	order uint64 // of two that are due at once, the one that was set first comes first
	index int    // in the heap, from 1; 0: not set
	job   jobRef // whose timer it is; 0: it is no job's, but has fire
	fire  func()
}

// deadlines is the one heap of all that is due some time.
type deadlines struct {
	heap  deadlineHeap
	wall  int    // how many are times of day
	order uint64 // how many were ever set
}

// set makes d due at a point of the clock's line.
func (s *deadlines) set(d *deadline, at int64) {
	s.cancel(d)
	d.at, d.wall = at, 0
	s.push(d)
}

// setWall makes d due at a time of day.
func (s *deadlines) setWall(d *deadline, t time.Time, shift int64) {
	s.cancel(d)
	d.wall = t.UnixNano()
	d.at = d.wall - shift
	s.wall++
	s.push(d)
}

func (s *deadlines) push(d *deadline) {
	s.order++
	d.order = s.order
	heap.Push(&s.heap, d)
}

func (s *deadlines) cancel(d *deadline) {
	if d.index > 0 {
		heap.Remove(&s.heap, d.index-1)
		s.removed(d)
	}
}

// due takes the first deadline that has come, or returns nil.
func (s *deadlines) due(now int64) *deadline {
	if len(s.heap) == 0 || s.heap[0].at > now {
		return nil
	}
	d := heap.Pop(&s.heap).(*deadline)
	s.removed(d)
	return d
}

func (s *deadlines) removed(d *deadline) {
	if d.wall != 0 {
		s.wall--
	}
}

// rewind moves the times of day after the wall clock was set.
func (s *deadlines) rewind(shift int64) {
	if s.wall == 0 {
		return
	}
	for _, d := range s.heap {
		if d.wall != 0 {
			d.at = d.wall - shift
		}
	}
	heap.Init(&s.heap)
}

type deadlineHeap []*deadline

func (h deadlineHeap) Len() int { return len(h) }

func (h deadlineHeap) Less(i, j int) bool {
	if h[i].at != h[j].at {
		return h[i].at < h[j].at
	}
	return h[i].order < h[j].order
}

func (h deadlineHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i+1, j+1
}

func (h *deadlineHeap) Push(x any) {
	d := x.(*deadline)
	*h = append(*h, d)
	d.index = len(*h)
}

func (h *deadlineHeap) Pop() any {
	old := *h
	d := old[len(old)-1]
	old[len(old)-1] = nil
	*h = compact(old[:len(old)-1])
	d.index = 0
	return d
}
