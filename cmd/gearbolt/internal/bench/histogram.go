package bench

import (
	"math/bits"
	"time"
)

// A histogram counts lengths of time with an error below 1 %: 64 buckets for
// each power of two.
type histogram struct {
	counts [58 * 64]uint64
	n      uint64
	max    time.Duration
}

const sub = 64

func bucket(v uint64) int {
	if v < 2*sub {
		return int(v)
	}
	shift := bits.Len64(v) - 7
	return shift*sub + int(v>>shift)
}

// middle is the value that a bucket stands for.
func middle(b int) uint64 {
	if b < 2*sub {
		return uint64(b)
	}
	shift := b/sub - 1
	return uint64(b-shift*sub)<<shift + 1<<shift/2
}

func (h *histogram) add(d time.Duration) {
	d = max(d, 0)
	h.counts[bucket(uint64(d))]++
	h.n++
	h.max = max(h.max, d)
}

// merge adds what another one counted.
func (h *histogram) merge(o *histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.n += o.n
	h.max = max(h.max, o.max)
}

// quantile returns the time that a share q of all did not exceed; 0 if there
// are none.
func (h *histogram) quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	rank := uint64(q * float64(h.n))
	var seen uint64
	for b, n := range h.counts {
		if seen += n; seen > rank {
			return min(time.Duration(middle(b)), h.max)
		}
	}
	return h.max
}
