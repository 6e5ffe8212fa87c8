package bolt

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"gearbolt/persist"
)

// BenchmarkBesideBbolt commits the same batches of jobs with 100 bytes of
// payload to a store and to bbolt alone, in turns, and deletes them again
// likewise: first in, first out, with so many batches in between. The latter
// only puts, and deletes, what the former had made of the jobs before the clock
// ran. The metrics are how many jobs a second the store keeps, and deletes, for
// each that bbolt does.
func BenchmarkBesideBbolt(b *testing.B) {
	for _, batch := range []int{1, 16, 128, 1024} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) { besideBbolt(b, batch) })
	}
}

const besideDepth = 20

func besideBbolt(b *testing.B, batch int) {
	s := open(b, Options{Dir: b.TempDir()})
	alone, err := bbolt.Open(filepath.Join(b.TempDir(), fileName), 0o600, s.options.bbolt())
	if err != nil {
		b.Fatal(err)
	}
	defer alone.Close()
	b.ReportAllocs()
	var ours, theirs struct{ put, delete time.Duration }
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		in, out := benchBatch(n, batch), benchBatch(n-besideDepth, batch)
		for i := range out {
			out[i] = remove(out[i].Job.ID)
		}
		keys, values := rawJobs(in)
		oldKeys := rawIDs(out)
		b.StartTimer()
		ours.put += timed(func() { keep(b, s, in...) })
		ours.delete += timed(func() { keep(b, s, out...) })
		b.StopTimer()
		theirs.put += timed(func() { putRaw(b, alone, keys, values) })
		theirs.delete += timed(func() { putRaw(b, alone, oldKeys, nil) })
		b.StartTimer()
	}
	b.ReportMetric(theirs.put.Seconds()/ours.put.Seconds(), "puts/bbolt's")
	b.ReportMetric(theirs.delete.Seconds()/ours.delete.Seconds(), "deletes/bbolt's")
	b.ReportMetric(float64(b.N*batch)/ours.put.Seconds(), "puts/s")
	b.ReportMetric(float64(b.N*batch)/ours.delete.Seconds(), "deletes/s")
}

func timed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

// benchBatch returns the nth batch; a negative one has numbers that no other
// has.
func benchBatch(n, size int) []persist.Change {
	changes := make([]persist.Change, size)
	for i := range changes {
		changes[i] = put(benchJob(uint64((n+besideDepth)*size + i)))
	}
	return changes
}

func rawJobs(changes []persist.Change) (keys, values [][]byte) {
	for _, c := range changes {
		key, value := encode(c.Job)
		keys, values = append(keys, key), append(values, value)
	}
	return keys, values
}

func rawIDs(changes []persist.Change) (keys [][]byte) {
	for _, c := range changes {
		keys = append(keys, appendKey(nil, c.ID))
	}
	return keys
}

// putRaw puts the values, or deletes the keys if there are none.
func putRaw(b *testing.B, db *bbolt.DB, keys, values [][]byte) {
	err := db.Update(func(tx *bbolt.Tx) error {
		jobs, err := tx.CreateBucketIfNotExists(bucketJobs)
		if err != nil {
			return err
		}
		for i, key := range keys {
			if values == nil {
				err = jobs.Delete(key)
			} else {
				err = jobs.Put(key, values[i])
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
