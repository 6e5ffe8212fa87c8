package router

import (
	"testing"
	"time"
	"unsafe"
)

// A testClock tells times as the system's clock does: with a monotonic reading
// beside the time of day, so that a test can set the time of day as an
// administrator or a time server would.
type testClock struct {
	ran  time.Duration // the monotonic reading
	wall time.Time
}

// pass lets time go by.
func (c *testClock) pass(d time.Duration) {
	c.ran += d
	c.wall = c.wall.Add(d)
}

// set sets the time of day by d, forwards or backwards.
func (c *testClock) set(d time.Duration) { c.wall = c.wall.Add(d) }

// now is what time.Now would say. The time package makes no such values for
// tests, so this one is put together from its parts as they lie in memory;
// TestClockOfTheTests would notice if they lay otherwise.
func (c *testClock) now() time.Time {
	const hasMonotonic = 1 << 63
	since1885 := c.wall.Unix() - time.Date(1885, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	parts := struct {
		wall uint64
		ext  int64
		loc  *time.Location
	}{hasMonotonic | uint64(since1885)<<30 | uint64(c.wall.Nanosecond()), int64(c.ran), time.Local}
	return *(*time.Time)(unsafe.Pointer(&parts))
}

func TestClockOfTheTests(t *testing.T) {
	start := time.Date(2024, 2, 28, 23, 59, 0, 5e6, time.UTC)
	c := testClock{ran: time.Second, wall: start}
	a := c.now()
	c.pass(3 * time.Second)
	c.set(-time.Hour)
	b := c.now()
	if !a.Equal(start) || !a.Round(0).Equal(start) {
		t.Errorf("the time of day is %v, not %v", a, start)
	}
	if d := b.Sub(a); d != 3*time.Second {
		t.Errorf("%v have passed, not 3s", d)
	}
	if want := start.Add(3*time.Second - time.Hour); b.UnixNano() != want.UnixNano() {
		t.Errorf("the time of day is %v, not %v", b.Round(0), want)
	}
}
