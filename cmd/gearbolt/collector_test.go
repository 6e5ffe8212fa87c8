package main

import "testing"

func TestCollectorGivesBackOnceWhenQuiet(t *testing.T) {
	c := newCollector()
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
	c := &collector{percent: usualGC}
	for _, step := range []struct {
		live uint64
		want int
	}{
		{1 << 20, 0}, {largeHeap + 1, largeGC}, {hugeHeap, 0}, {hugeHeap + 1, usualGC}, {largeHeap * 2, largeGC}, {largeHeap, usualGC}, {0, 0},
	} {
		if got := c.pace(step.live); got != step.want {
			t.Errorf("at %d live bytes the percentage becomes %d, not %d", step.live, got, step.want)
		}
	}
	if got := new(collector).pace(largeHeap * 2); got != 0 {
		t.Errorf("an operator's percentage is changed to %d", got)
	}
}
