package bolt

import (
	"math/rand/v2"
	"testing"

	"go.etcd.io/bbolt"

	"gearbolt/persist"
)

// taken returns the bytes that the jobs of s take in leaf pages.
func taken(s *Store) (n int) {
	s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketJobs).ForEach(func(key, value []byte) error {
			n += elementSize + len(key) + len(value)
			return nil
		})
	})
	return n
}

// TestPackRoom puts jobs of all sizes between others, one at a time, and deletes
// some: none takes more than packRoom beyond its record, though some cut a pack
// into three, and no delete takes anything.
func TestPackRoom(t *testing.T) {
	s := open(t, Options{Dir: scratchDir(t), UnsafeNoFsync: true})
	random := rand.New(rand.NewPCG(3, 4))
	most := 0
	for range 4000 {
		j := benchJob(random.Uint64N(1000))
		j.Payload = make([]byte, random.IntN([]int{1, 200, 200, packSize}[random.IntN(4)]))
		keep(t, s, remove(j.ID))
		before := taken(s)
		keep(t, s, put(j))
		_, value := encode(j)
		most = max(most, taken(s)-before-len(value))
		before = taken(s)
		keep(t, s, remove(persist.JobID{Epoch: 1, Seq: random.Uint64N(1000)}))
		if more := taken(s) - before; more > 0 {
			t.Fatalf("a delete takes %d bytes", more)
		}
	}
	if t.Logf("a job takes up to %d bytes beyond its record", most); most > packRoom {
		t.Errorf("a job takes %d bytes beyond its record, not %d at most", most, packRoom)
	}
}
