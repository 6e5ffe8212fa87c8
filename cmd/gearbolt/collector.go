package main

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"gearbolt/persist"
)

// A collector paces Go's garbage collector, and gives memory back.
//
// Go lets the heap grow to twice of what lives in it, which is cheap for a
// small one and as much again as the queue for a long one; what lives there are
// jobs, small and with few pointers, so to look through them more often costs
// little. And when a queue has been worked off, the runtime collects the rest
// only when it next needs memory, which may be never: a server that has become
// quiet collects at once.
type collector struct {
	percent int    // of garbage collection; 0: an operator's GOGC stays
	allocs  uint64 // bytes that were ever allocated, at the last look
	churn   uint64 // of these, since memory was last given back
	quiet   int    // looks in a row at which hardly any were new
}

const (
	lookEvery  = time.Second
	quietLooks = 5
	quietBytes = 1 << 20  // hardly any
	worthBytes = 32 << 20 // less churn is not worth a collection

	smallGC   = 100 // percent: the runtime's own
	largeGC   = 50
	largeHeap = 64 << 20 // live bytes
)

func newCollector() *collector {
	c := new(collector)
	if os.Getenv("GOGC") == "" {
		c.percent = smallGC
	}
	return c
}

// run looks after the memory until done is closed.
func (c *collector) run(store persist.Store, done <-chan struct{}) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
		}
		metrics.Read(samples)
		if percent := c.pace(samples[0].Value.Uint64()); percent != 0 {
			debug.SetGCPercent(percent)
		}
		if c.idles(samples[1].Value.Uint64()) {
			debug.FreeOSMemory()
			if mapped, ok := store.(interface{ Release() }); ok {
				mapped.Release()
			}
		}
	}
}

// pace returns the percentage for that many live bytes, or 0 if it stays. It
// changes back at half the size, so that it does not do so time and again.
func (c *collector) pace(live uint64) int {
	switch {
	case c.percent == smallGC && live > largeHeap:
		c.percent = largeGC
	case c.percent == largeGC && live < largeHeap/2:
		c.percent = smallGC
	default:
		return 0
	}
	return c.percent
}

// idles reports whether it is time to give memory back: once when it has become
// quiet after there was much to do.
func (c *collector) idles(allocs uint64) bool {
	fresh := allocs - c.allocs
	c.allocs = allocs
	c.churn += fresh
	if c.quiet++; fresh > quietBytes {
		c.quiet = 0
	}
	if c.quiet < quietLooks || c.churn < worthBytes {
		return false
	}
	c.churn = 0
	return true
}
