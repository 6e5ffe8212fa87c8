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
// Go lets the heap grow to twice of what lives in it before it looks for garbage.
// For a queue of a million jobs that is as much memory again, and half of it is
// had for little. For a server that has little to keep it is next to nothing,
// and it would look for garbage all the time: some tens of megabytes are always
// allowed. A queue of many millions is too much to look through more often than
// need be: each job that comes or goes would pay for it. And when a queue has
// been worked off, the runtime collects the rest only when it next needs memory,
// which may be never: a server that has become quiet collects at once.
type collector struct {
	percent int    // of garbage collection; 0: an operator's GOGC stays
	allowed uint64 // bytes of garbage, whatever lives
	allocs  uint64 // bytes that were ever allocated, at the last look
	churn   uint64 // of these, since memory was last given back
	quiet   int    // looks in a row at which hardly any were new
}

const (
	lookEvery  = time.Second
	quietLooks = 5
	quietBytes = 1 << 20  // hardly any
	worthBytes = 32 << 20 // less churn is not worth a collection

	usualGC  = 100 // percent: the runtime's own
	largeGC  = 50  // where garbage beyond what is allowed would have to be
	smallGC  = 400 // at most: what lives is only known from time to time
	hugeHeap = 512 << 20

	mostAllowed  = 64 << 20
	allowedShare = 16 // of the memory
)

// newCollector returns a collector for a process that may have so much memory,
// in bytes.
func newCollector(memory int64) *collector {
	c := &collector{allowed: uint64(min(mostAllowed, memory/allowedShare))}
	if os.Getenv("GOGC") == "" {
		c.percent = usualGC
	}
	return c
}

// run looks after the memory until done is closed.
func (c *collector) run(store persist.Store, done <-chan struct{}) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	if percent := c.pace(0); percent != 0 {
		debug.SetGCPercent(percent)
	}
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
			if mapped, ok := store.(interface{ Unlook() }); ok {
				mapped.Unlook()
			}
		}
	}
}

// pace returns the percentage for that many live bytes, or 0 if it stays.
func (c *collector) pace(live uint64) int {
	percent := usualGC
	if live <= hugeHeap {
		percent = int(min(max(c.allowed*100/max(live, 1), largeGC), smallGC))
	}
	if c.percent == 0 || c.percent == percent {
		return 0
	}
	c.percent = percent
	return percent
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
