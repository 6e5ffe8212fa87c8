package bolt

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"go.etcd.io/bbolt"

	"gearbolt/persist"
)

// TestGrowth has a queue fill and drain ten times: from the second time on, the
// file has room for it.
func TestGrowth(t *testing.T) {
	const jobs = 20_000
	s := open(t, Options{Dir: t.TempDir(), UnsafeNoFsync: true})
	random := rand.New(rand.NewPCG(5, 6))
	var after [10]int64
	for round := range after {
		fillAndDrain(t, s, random, uint64(round)*jobs, jobs)
		after[round] = used(s)
	}
	if first, last := after[1], after[len(after)-1]; last > first+first/8 {
		t.Errorf("of the file, so many bytes were used after each round: %d", after)
	}
}

// fillAndDrain puts jobs after number from, a large one among every thousand,
// and deletes them about in their order, as many workers would.
func fillAndDrain(t *testing.T, s *Store, random *rand.Rand, from, jobs uint64) {
	t.Helper()
	const group, ahead = 500, 64
	for n := uint64(0); n < jobs; n += group {
		in := make([]persist.Change, group)
		for i := range in {
			in[i] = put(benchJob(from + n + uint64(i)))
		}
		if n%1000 == 0 {
			in[7].Job.Payload = make([]byte, random.IntN(8*largePayload))
		}
		keep(t, s, in...)
	}
	order := make([]uint64, jobs)
	for i := range order {
		order[i] = uint64(i)
	}
	for i := range order {
		j := min(i+random.IntN(ahead), len(order)-1)
		order[i], order[j] = order[j], order[i]
	}
	for len(order) > 0 {
		n := min(1+random.IntN(group), len(order))
		var out []persist.Change
		for _, i := range order[:n] {
			out = append(out, remove(persist.JobID{Epoch: 1, Seq: from + i}))
		}
		keep(t, s, out...)
		order = order[n:]
	}
}

// used returns how many bytes of the file have ever been used.
func used(s *Store) (size int64) {
	s.db.View(func(tx *bbolt.Tx) error {
		size = tx.Size()
		return nil
	})
	return size
}

// TestNothingOfATransactionStays: what a large one has put into pages is not kept
// in memory until the next one.
func TestNothingOfATransactionStays(t *testing.T) {
	s := open(t, Options{Dir: scratchDir(t), UnsafeNoFsync: true})
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	in, _ := costBatch(0, 2000, make([]byte, 20<<10))
	before := heap()
	keep(t, s, in...)
	if more := heap() - before; more > 8<<20 {
		t.Errorf("after a transaction of 40 MB, %d bytes more are in use", more)
	}
}
