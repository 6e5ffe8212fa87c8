package bolt

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gearbolt/persist"
)

// BenchmarkCost measures what jobs cost the processors, without the disk: to put
// them in batches, to delete them in about their order, and both together in a
// queue that is some thousand jobs long. An operation is one job.
func BenchmarkCost(b *testing.B) {
	for _, payload := range []int{100, 1000} {
		for _, batch := range []int{1, 16, 1000} {
			for _, c := range []struct {
				name string
				run  func(b *testing.B, s *Store, batch int, payload []byte)
			}{{"put", costPut}, {"drain", costDrain}, {"turnover", costTurnover}} {
				b.Run(fmt.Sprintf("%s/bytes=%d/batch=%d", c.name, payload, batch), func(b *testing.B) {
					s := open(b, Options{Dir: b.TempDir(), UnsafeNoFsync: true})
					b.ReportAllocs()
					c.run(b, s, batch, bytes.Repeat([]byte("x"), payload))
				})
			}
		}
	}
}

// costBatch returns changes that put the jobs from number n on, or delete them.
func costBatch(n, size int, payload []byte) (in, out []persist.Change) {
	for i := range size {
		j := benchJob(uint64(n + i + 1))
		j.Payload = payload
		in, out = append(in, put(j)), append(out, remove(j.ID))
	}
	return in, out
}

// processors returns the time that the process has spent on them.
func processors(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A cost is what a benchmark has spent.
type cost struct {
	processors time.Duration
	batches    []time.Duration // for each of the size asked for
}

// of has b's clock, and that of the processors, run while f commits a batch.
func (c *cost) of(b *testing.B, f func()) {
	before, start := processors(b), time.Now()
	b.StartTimer()
	f()
	b.StopTimer()
	c.batches = append(c.batches, time.Since(start))
	c.processors += processors(b) - before
}

// report tells what a job cost, and what in the better batches: on a machine
// with other work the rest were interrupted.
func (c *cost) report(b *testing.B, batch int) {
	slices.Sort(c.batches)
	b.ReportMetric(float64(c.processors)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(c.batches[len(c.batches)/4])/float64(min(batch, b.N)), "p25-ns/op")
}

func costPut(b *testing.B, s *Store, batch int, payload []byte) {
	b.StopTimer()
	var spent cost
	for n := 0; n < b.N; n += batch {
		in, _ := costBatch(n, min(batch, b.N-n), payload)
		spent.of(b, func() { keep(b, s, in...) })
	}
	spent.report(b, batch)
}

func costDrain(b *testing.B, s *Store, batch int, payload []byte) {
	b.StopTimer()
	var spent cost
	for n := 0; n < b.N; n += 1000 {
		in, _ := costBatch(n, min(1000, b.N-n), payload)
		keep(b, s, in...)
	}
	for n := 0; n < b.N; n += batch {
		_, out := costBatch(n, min(batch, b.N-n), payload)
		spent.of(b, func() { keep(b, s, out...) })
	}
	spent.report(b, batch)
}

func costTurnover(b *testing.B, s *Store, batch int, payload []byte) {
	b.StopTimer()
	const depth = 5000
	in, _ := costBatch(0, depth, payload)
	keep(b, s, in...)
	var spent cost
	for n := 0; n < b.N; n += batch {
		in, _ := costBatch(depth+n, min(batch, b.N-n), payload)
		_, out := costBatch(n, min(batch, b.N-n), payload)
		both := append(in, out...)
		spent.of(b, func() { keep(b, s, both...) })
	}
	spent.report(b, batch)
}
