package bolt

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"gearbolt/persist"
)

// A benchJob has a payload of 100 bytes.
func benchJob(n uint64) *persist.Job {
	return &persist.Job{
		ID:       persist.JobID{Epoch: 1, Seq: n},
		Prefix:   "H:host",
		Function: fmt.Sprintf("function%d", n%10),
		Unique:   fmt.Sprintf("0b7cbe6e-%d", n),
		Payload:  bytes.Repeat([]byte("x"), 100),
		Priority: persist.Normal,
	}
}

func put(j *persist.Job) persist.Change { return persist.Change{Kind: persist.PutJob, Job: j} }

func remove(id persist.JobID) persist.Change {
	return persist.Change{Kind: persist.DeleteJob, ID: id}
}

// BenchmarkCommit measures how many jobs a second are on stable storage when
// so many submitters wait for each of theirs.
func BenchmarkCommit(b *testing.B) {
	for _, submitters := range []int{1, 64, 512} {
		b.Run(fmt.Sprintf("submitters=%d", submitters), func(b *testing.B) {
			s := open(b, Options{Dir: b.TempDir()})
			benchSubmit(b, s, submitters)
		})
	}
}

func benchSubmit(b *testing.B, s *Store, submitters int) {
	jobs := make([]persist.Change, b.N)
	for i := range jobs {
		jobs[i] = put(benchJob(uint64(i + 1)))
	}
	var all sync.WaitGroup
	before := s.visible()
	b.ResetTimer()
	for g := range submitters {
		all.Go(func() {
			done := make(chan error, 1)
			for i := g; i < len(jobs); i += submitters {
				s.Commit(jobs[i:i+1:i+1], func(err error) { done <- err })
				if err := <-done; err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
	b.ReportMetric(float64(b.N)/float64(s.visible()-before), "jobs/group")
}

// BenchmarkFinish measures how many jobs a second come and go again, 512 at a
// time, in a store that holds 100,000 more.
func BenchmarkFinish(b *testing.B) {
	s := open(b, Options{Dir: b.TempDir()})
	fill(b, s, 100_000)
	const group = 512
	for n := uint64(200_000); b.Loop(); n += group {
		in, out := make([]persist.Change, group), make([]persist.Change, group)
		for i := range in {
			j := benchJob(n + uint64(i))
			in[i], out[i] = put(j), remove(j.ID)
		}
		keep(b, s, in...)
		keep(b, s, out...)
	}
	b.ReportMetric(float64(b.N*group)/b.Elapsed().Seconds(), "jobs/s")
}

// fill keeps n jobs, numbered from 1.
func fill(t testing.TB, s *Store, n int) {
	t.Helper()
	const group = 10_000
	for from := 0; from < n; from += group {
		changes := make([]persist.Change, min(group, n-from))
		for i := range changes {
			changes[i] = put(benchJob(uint64(from + i + 1)))
		}
		keep(t, s, changes...)
	}
}

func commit(s *Store, changes ...persist.Change) error {
	done := make(chan error)
	s.Commit(changes, func(err error) { done <- err })
	return <-done
}

func keep(t testing.TB, s *Store, changes ...persist.Change) {
	t.Helper()
	if err := commit(s, changes...); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkRestart measures a start with 1,000,000 jobs: Open, with all that it
// inspects, and Load. The file is not in the kernel's cache, as Open evicts it.
func BenchmarkRestart(b *testing.B) {
	const jobs = 1_000_000
	dir := b.TempDir()
	s := open(b, Options{Dir: dir})
	fill(b, s, jobs)
	size := used(s)
	s.Close()
	var opening, loading time.Duration
	for b.Loop() {
		start := time.Now()
		s := opened(b, Options{Dir: dir})
		loads := time.Now()
		n := 0
		if err := s.Load(func(persist.Change) error { n++; return nil }); err != nil || n != jobs {
			b.Fatalf("%d jobs loaded: %v", n, err)
		}
		opening += loads.Sub(start)
		loading += time.Since(loads)
		s.Close()
	}
	b.ReportMetric(opening.Seconds()/float64(b.N), "open-s")
	b.ReportMetric(loading.Seconds()/float64(b.N), "load-s")
	b.ReportMetric(float64(size)/(1<<20), "MiB")
}

// BenchmarkPayload measures reading one payload of many back.
func BenchmarkPayload(b *testing.B) {
	s := open(b, Options{Dir: b.TempDir()})
	const jobs = 100_000
	fill(b, s, jobs)
	for n := uint64(0); b.Loop(); n++ {
		if _, err := s.Payload(persist.JobID{Epoch: 1, Seq: n*7919%jobs + 1}); err != nil {
			b.Fatal(err)
		}
	}
}
