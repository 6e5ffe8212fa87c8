package main

import "testing"

func TestCollectorGivesBackOnceWhenQuiet(t *testing.T) {
	c := newCollector(1 << 30)
	allocs, given := uint64(0), 0
	look := func(looks int, fresh uint64) {
		for range looks {
			if allocs += fresh; c.idles(allocs) {
				given++
			}
		}
	}
	for _, step := range []struct {
		name  string
		looks int
		fresh uint64
		want  int
	}{
		{"little to do", 100, 1000, 0},
		{"much to do", 100, 10 << 20, 0},
		{"quiet for a moment", quietLooks - 1, 0, 0},
		{"quiet", 1, 0, 1},
		{"still quiet", 100, 1000, 1},
		{"a burst", 1, worthBytes, 1},
		{"quiet again", quietLooks, 0, 2},
	} {
		if look(step.looks, step.fresh); given != step.want {
			t.Fatalf("after %q memory was given back %d times, not %d", step.name, given, step.want)
		}
	}
}

func TestCollectorPace(t *testing.T) {
	c := &collector{percent: usualGC, allowed: 64 << 20}
	for _, step := range []struct {
		live uint64
		want int
	}{
		{0, smallGC}, {1 << 20, 0}, {16 << 20, 0}, {32 << 20, 200}, {64 << 20, 100}, {128 << 20, largeGC},
		{hugeHeap, 0}, {hugeHeap + 1, usualGC}, {80 << 20, 80}, {1 << 20, smallGC},
	} {
		if got := c.pace(step.live); got != step.want {
			t.Errorf("at %d live bytes the percentage becomes %d, not %d", step.live, got, step.want)
		}
	}
	if got := new(collector).pace(1 << 20); got != 0 {
		t.Errorf("an operator's percentage is changed to %d", got)
	}
}

func TestLittleMemoryAllowsLittleGarbage(t *testing.T) {
	if got := newCollector(64 << 20).allowed; got != 4<<20 {
		t.Errorf("of 64 MiB %d bytes may be garbage", got)
	}
}
