package bolt

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"gearbolt/persist"
)

// largeJob returns a job with size bytes of payload, no two parts of which are
// the same.
func largeJob(n uint64, size int) *persist.Job {
	j := benchJob(n)
	j.Payload = make([]byte, size)
	random := rand.NewChaCha8([32]byte{byte(n), byte(size)})
	random.Read(j.Payload)
	return j
}

// partCount returns how many parts job n has.
func partCount(s *Store, n uint64) (count int) {
	s.db.View(func(tx *bbolt.Tx) error {
		if b := tx.Bucket(bucketParts).Bucket(appendKey(nil, benchJob(n).ID)); b != nil {
			count = b.Stats().KeyN
		}
		return nil
	})
	return count
}

// TestParts keeps payloads of sizes around those where parts begin and end, one
// in the place of the other, up and down.
func TestParts(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir()})
	keep(t, s, put(benchJob(1)), put(benchJob(3)))
	for _, c := range []struct{ size, parts int }{
		{largePayload, 0},
		{largePayload + 1, 1},
		{partSize, 1},
		{partSize + 1, 2},
		{10 * partSize, 10},
		{10*partSize + 1, 11},
		{3 * partSize, 3},
		{largePayload + 2, 1},
		{5, 0},
	} {
		j := largeJob(2, c.size)
		keep(t, s, put(j))
		if n := partCount(s, 2); n != c.parts {
			t.Errorf("%d bytes are in %d parts, not %d", c.size, n, c.parts)
		}
		if got, err := s.Payload(j.ID); err != nil || !bytes.Equal(got, j.Payload) {
			t.Errorf("of %d bytes, %d are back: %v", c.size, len(got), err)
		}
	}
	keep(t, s, put(largeJob(2, partSize)), remove(benchJob(2).ID), put(largeJob(4, 2*partSize)))
	s.Close()
	if kept, err := load(s.options.Dir); len(kept) != 3 || err != nil {
		t.Errorf("%d jobs are kept: %v", len(kept), err)
	}
}

// pagesWritten is how many bytes of pages all transactions of s have written.
func pagesWritten(s *Store) int64 {
	stats := s.db.Stats()
	return stats.TxStats.GetPageAlloc()
}

// TestPartsAreLeftAlone has small jobs come and go beside large ones, and the
// large ones go: none of that may write a large payload again.
func TestPartsAreLeftAlone(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir()})
	const size, most = 5 << 20, 64 << 10
	for n := uint64(1); n <= 10; n++ {
		keep(t, s, put(largeJob(2*n, size)))
	}
	wrote := func(changes ...persist.Change) int64 {
		before := pagesWritten(s)
		keep(t, s, changes...)
		return pagesWritten(s) - before
	}
	for n := uint64(1); n <= 10; n++ {
		attempt := persist.Change{Kind: persist.SetAttempt, ID: benchJob(2 * n).ID, Attempts: 1}
		for what, c := range map[string]persist.Change{
			"putting a neighbour": put(benchJob(2*n + 1)), "an attempt": attempt, "deleting it": remove(benchJob(2 * n).ID),
		} {
			if got := wrote(c); got > most {
				t.Errorf("job %d: %s wrote %d bytes", 2*n, what, got)
			}
		}
	}
}

// TestDamagedParts takes large payloads apart in every way. That is told when
// the store is loaded, and when the payload is asked for.
func TestDamagedParts(t *testing.T) {
	for what, c := range map[string]struct {
		damage func(parts, own *bbolt.Bucket, key []byte) error
		word   string
	}{
		"no parts":       {func(parts, _ *bbolt.Bucket, key []byte) error { return parts.DeleteBucket(key) }, "missing"},
		"one part fewer": {func(_, own *bbolt.Bucket, key []byte) error { return own.Delete(partKey(nil, key, 1)) }, "part"},
		"the last fewer": {func(_, own *bbolt.Bucket, key []byte) error { return own.Delete(partKey(nil, key, 2)) }, "in 2 parts"},
		"one part more": {func(_, own *bbolt.Bucket, key []byte) error {
			return putSealed(own, partKey(nil, key, 3), []byte("more"))
		}, "in 4 parts"},
		"one part longer": {func(_, own *bbolt.Bucket, key []byte) error {
			return putSealed(own, partKey(nil, key, 2), make([]byte, 2))
		}, "bytes in 3"},
		"another part": {func(_, own *bbolt.Bucket, key []byte) error {
			return own.Put(partKey(nil, key, 0), own.Get(partKey(nil, key, 1)))
		}, "checksum"},
		"a cut part": {func(_, own *bbolt.Bucket, key []byte) error { return own.Put(partKey(nil, key, 0), []byte("c")) }, "part 0"},
		"stray parts": {func(parts, _ *bbolt.Bucket, key []byte) error {
			_, err := parts.CreateBucket(appendKey(nil, benchJob(1).ID))
			return err
		}, "parts of job 1-1, which is missing"},
		"stray parts at the end": {func(parts, _ *bbolt.Bucket, key []byte) error {
			_, err := parts.CreateBucket(appendKey(nil, benchJob(3).ID))
			return err
		}, "parts of job 1-3, which is missing"},
		"stray attempts": {func(parts, _ *bbolt.Bucket, key []byte) error {
			return putSealed(parts.Tx().Bucket(bucketAttempts), appendKey(nil, benchJob(3).ID), make([]byte, 4))
		}, "attempts of job 1-3, which is missing"},
	} {
		t.Run(what, func(t *testing.T) {
			s := open(t, Options{Dir: t.TempDir()})
			keep(t, s, put(largeJob(2, 2*partSize+1)))
			s.Close()
			editFile(t, s.options.Dir, func(tx *bbolt.Tx) error {
				key, parts := appendKey(nil, benchJob(2).ID), tx.Bucket(bucketParts)
				return c.damage(parts, parts.Bucket(key), key)
			})
			wantDamaged(t, s.options.Dir, c.word, strings.HasPrefix(what, "stray"))
		})
	}
}

// wantDamaged checks that the store in dir is not loaded, and job 2 of it only
// if it is whole.
func wantDamaged(t *testing.T, dir, word string, whole bool) {
	t.Helper()
	wantReported(t, dir)
	if _, err := load(dir); err == nil || !strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), word) {
		t.Errorf("the error is %v; %q is not in it", err, word)
	}
	s := opened(t, Options{Dir: dir})
	if b, err := s.Payload(benchJob(2).ID); (err == nil) != whole {
		t.Errorf("Payload: %d bytes, %v", len(b), err)
	}
}

// wantReported checks that check and salvage tell that the store in dir is
// damaged, and that what is salvaged is a good store.
func wantReported(t *testing.T, dir string) {
	t.Helper()
	if r, err := Check(dir, nil); err != nil || r.Clean() {
		t.Errorf("check says %+v, %v", r, err)
	}
	out := filepath.Join(t.TempDir(), "out")
	r, err := Salvage(dir, out, SalvageOptions{})
	if err != nil || r.Whole() {
		t.Fatalf("salvage says %+v, %v", r, err)
	}
	if _, err := load(out); err != nil {
		t.Error(err)
	}
}

func putSealed(b *bbolt.Bucket, key, body []byte) error {
	value := append(make([]byte, crcSize), body...)
	seal(key, value)
	return b.Put(key, value)
}

// BenchmarkLarge measures jobs with large payloads that come and go, first in,
// first out, one at a time, with ten in between. The metric is how much is
// written for each byte of payload.
func BenchmarkLarge(b *testing.B) {
	for _, size := range []int{4 << 10, largePayload, largePayload + 1<<10, 256 << 10, 1 << 20, 20 << 20} {
		b.Run(fmt.Sprintf("KiB=%d", size>>10), func(b *testing.B) {
			s := open(b, Options{Dir: b.TempDir()})
			j := largeJob(0, size)
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for n := uint64(0); b.Loop(); n++ {
				keep(b, s, put(&persist.Job{ID: persist.JobID{Epoch: 1, Seq: n}, Payload: j.Payload}))
				keep(b, s, remove(persist.JobID{Epoch: 1, Seq: n - 10}))
			}
			b.ReportMetric(float64(pagesWritten(s))/float64(b.N*size), "written/byte")
		})
	}
}

// TestSalvageOfPartsTooMany: there are parts of a job that has its payload in
// its record. A start refuses that, and what salvage makes of it opens.
func TestSalvageOfPartsTooMany(t *testing.T) {
	dir := place(t, written(t))
	editFile(t, dir, func(tx *bbolt.Tx) error {
		key := appendKey(nil, benchJob(3).ID)
		b, err := tx.Bucket(bucketParts).CreateBucket(key)
		if err != nil {
			return err
		}
		return putSealed(b, partKey(nil, key, 0), []byte("of another"))
	})
	wantReported(t, dir)
	if _, err := load(dir); err == nil || !strings.Contains(err.Error(), "gearbolt store salvage") {
		t.Errorf("the start says %v", err)
	}
	out := filepath.Join(t.TempDir(), "out")
	r, err := Salvage(dir, out, SalvageOptions{})
	if err != nil || len(r.Incomplete) > 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	if got, err := contents(out); err != nil || len(got) != 2*(damagedJobs+1)+1 || got["job 1-3"] == "" {
		t.Errorf("%d things are kept: %v", len(got), err)
	}
}
