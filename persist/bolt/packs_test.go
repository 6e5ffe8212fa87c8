package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"gearbolt/persist"
)

var seedsFlag = flag.Uint64("seeds", 6, "how often packs are compared with a model")

// TestPacksAgainstModel puts, tries and deletes jobs of all sizes in a random
// order, many at a time and few, with numbers anywhere between and inside of
// packs, and compares the store with a map after each start.
func TestPacksAgainstModel(t *testing.T) {
	for seed := range *seedsFlag {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			testAgainstModel(t, seed)
		})
	}
}

func testAgainstModel(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 1))
	dir, model := scratchDir(t), told{}
	numbers := uint64(1 + random.IntN(2000)) // few: most changes meet each other
	for round := range 12 {
		s := open(t, Options{Dir: dir, UnsafeNoFsync: true})
		for range 1 + random.IntN(20) {
			changes := modelBatch(random, numbers, round)
			for _, c := range changes {
				if c.Kind != persist.SetAttempt || model["job "+c.ID.String()] != "" {
					model.add(c)
				}
			}
			keep(t, s, changes...)
			wantPacks(t, s)
		}
		s.Close()
		if r, err := Check(dir, nil); err != nil || !r.Clean() {
			t.Fatalf("round %d: the check says %+v, %v", round, r, err)
		}
		if got, err := contents(dir); err != nil || !equal(got, model) {
			t.Fatalf("round %d: the store has %d things, not %d: %v", round, len(got), len(model), err)
		}
	}
	if _, err := Compact(dir, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := contents(dir); err != nil || !equal(got, model) {
		t.Errorf("compacted, the store has %d things, not %d: %v", len(got), len(model), err)
	}
}

// modelBatch makes changes to jobs: some in the order of their numbers and some
// in none, and often several to the same one.
func modelBatch(random *rand.Rand, numbers uint64, round int) (changes []persist.Change) {
	n := 1 + random.IntN(1<<random.IntN(9))
	from, inOrder := random.Uint64N(numbers), random.IntN(2) == 0
	kinds := []persist.Kind{persist.PutJob, persist.PutJob, persist.DeleteJob, persist.SetAttempt}
	if round%3 == 2 {
		kinds = kinds[2:] // the queue drains
	}
	for i := range n {
		id := persist.JobID{Epoch: 1 + random.Uint64N(2), Seq: random.Uint64N(numbers)}
		if inOrder {
			id = persist.JobID{Epoch: 1, Seq: from + uint64(i)/2}
		}
		switch kinds[random.IntN(len(kinds))] {
		case persist.PutJob:
			j := benchJob(id.Seq)
			j.ID = id
			j.Payload = make([]byte, random.IntN([]int{1, 200, 200, 2 * packSize}[random.IntN(4)]))
			if random.IntN(200) == 0 {
				j.Payload = make([]byte, random.IntN(3*largePayload))
			}
			fillRandom(random, j.Payload[:min(8, len(j.Payload))])
			changes = append(changes, put(j))
		case persist.DeleteJob:
			changes = append(changes, remove(id))
		case persist.SetAttempt:
			changes = append(changes, persist.Change{Kind: persist.SetAttempt, ID: id, Attempts: random.Uint32()})
		}
	}
	return changes
}

// wantPacks checks that each pack is right, that their ranges do not overlap,
// and that none is larger than it may be, nor has one job only.
func wantPacks(t *testing.T, s *Store) {
	t.Helper()
	err := s.db.View(func(tx *bbolt.Tx) error {
		var last persist.JobID
		return tx.Bucket(bucketJobs).ForEach(func(key, value []byte) error {
			p, err := openPack(key, value)
			if err != nil {
				return err
			}
			if !p.alone && len(value) > packSize {
				return fmt.Errorf("a pack of %d bytes", len(value))
			}
			for i := range p.count {
				if id := p.id(i); last.Compare(id) >= 0 && last != (persist.JobID{}) {
					return fmt.Errorf("job %v is behind %v", id, last)
				}
				last = p.id(i)
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestPacksAreFull appends jobs in batches of several sizes: each time as many
// as go into a pack are in one.
func TestPacksAreFull(t *testing.T) {
	for _, batch := range []int{1, 7, 1000} {
		s := open(t, Options{Dir: scratchDir(t), UnsafeNoFsync: true})
		const jobs = 3000
		for n := 0; n < jobs; n += batch {
			in, _ := costBatch(n, min(batch, jobs-n), make([]byte, 100))
			keep(t, s, in...)
		}
		keys := 0
		s.db.View(func(tx *bbolt.Tx) error { keys = tx.Bucket(bucketJobs).Stats().KeyN; return nil })
		if _, value := encode(benchJob(jobs)); keys > jobs*(len(value)+keySize+startSize)/(packSize-2*len(value)) {
			t.Errorf("in batches of %d, %d jobs have %d keys", batch, jobs, keys)
		}
	}
}

// TestOneOfManyStays has one of each few jobs stay for good, be it the first of
// its pack or another: what they take is a page for some of them, and not one
// for each pack that they were of.
func TestOneOfManyStays(t *testing.T) {
	for _, each := range []uint64{5, 11, 12, 13} {
		s := open(t, Options{Dir: scratchDir(t), UnsafeNoFsync: true})
		const jobs = 12_000
		for n := 0; n < jobs; n += 600 {
			in, out := costBatch(n, 600, make([]byte, 100))
			keep(t, s, in...)
			out = slices.DeleteFunc(out, func(c persist.Change) bool { return c.ID.Seq%each == 0 })
			for part := range slices.Chunk(out, 50) {
				keep(t, s, part...)
			}
		}
		s.db.View(func(tx *bbolt.Tx) error {
			stats := tx.Bucket(bucketJobs).Stats()
			perJob := stats.LeafAlloc / (jobs / int(each))
			if t.Logf("1 of %d: %d bytes each", each, perJob); perJob > 400 {
				t.Errorf("each of the jobs that stayed, 1 of %d, takes %d bytes: %+v", each, perJob, stats)
			}
			return nil
		})
	}
}

// TestDamagedPackWhileRunning damages the head of a pack behind the back of an
// open store, which finds it when it is to change the pack.
func TestDamagedPackWhileRunning(t *testing.T) {
	s := roomy(t)
	var at persist.JobID
	err := s.db.Update(func(tx *bbolt.Tx) error {
		key, value := tx.Bucket(bucketJobs).Cursor().Last()
		value = bytes.Clone(value)
		value[packHeadSize] ^= 1
		at = idOf(key)
		return tx.Bucket(bucketJobs).Put(key, value)
	})
	if err != nil {
		t.Fatal(err)
	}
	err = commit(s, put(benchJob(5000)))
	if !errors.Is(err, errDamaged) || !strings.Contains(err.Error(), "jobs from "+at.String()+" on") {
		t.Errorf("beside a damaged pack from %v on: %v", at, err)
	}
	wantFatal(t, s, err)
}

// TestSparing has a job of a pack stay while the others go: the page of the pack is
// joined to its neighbours, but not while the disk is full, when each page
// more may be one too many.
func TestSparing(t *testing.T) {
	for _, full := range []bool{false, true} {
		s := roomy(t)
		joined := int64(0)
		s.commit = func(tx *bbolt.Tx) error {
			err := tx.Commit()
			stats := tx.Stats()
			joined += stats.GetRebalance()
			return err
		}
		if full {
			s.writer.pause = time.Now().Add(time.Hour)
		}
		var p pack
		s.db.View(func(tx *bbolt.Tx) (err error) {
			p, err = openPack(tx.Bucket(bucketJobs).Cursor().First())
			return err
		})
		for i := 1; i < p.count; i++ {
			keep(t, s, remove(persist.JobID{Epoch: 1, Seq: uint64(i + 1)}))
		}
		if full != (joined == 0) {
			t.Errorf("full %v: %d pages were joined", full, joined)
		}
	}
}

// packOf returns a pack of so many jobs.
func packOf(jobs int) (key, value []byte) {
	var p packing
	var a arena
	for n := range jobs {
		j := someJob
		j.ID.Seq += uint64(n)
		_, value := encode(&j)
		p.add(j.ID, value)
	}
	return p.seal(&a)
}

// TestEveryBitOfAPack flips each bit of a pack and of its key: at most one job
// of it is lost, unless it is the head that changed, and none is invented.
func TestEveryBitOfAPack(t *testing.T) {
	const jobs = 5
	key, value := packOf(jobs)
	right := func() (n int) {
		var d decoder
		for _, e := range unpacked([]element{{key: key, value: value}}) {
			if j, err := d.job(e.key, e.value); err == nil && e.value != nil {
				want := someJob
				want.ID = j.ID
				if !reflect.DeepEqual(j.Job, want) {
					t.Fatalf("invented: %+v", j.Job)
				}
				n++
			}
		}
		return n
	}
	if _, err := openPack(key, value); err != nil || right() != jobs {
		t.Fatalf("%d jobs, %v", right(), err)
	}
	p, _ := openPack(key, value)
	head := p.headSize()
	for _, b := range [][]byte{key, value} {
		for i := range 8 * len(b) {
			b[i/8] ^= 1 << (i % 8)
			_, err := openPack(key, value)
			n, least := right(), jobs-1
			switch inHead := &b[0] == &key[0] || i/8 < head; {
			case inHead && err == nil && isPack(key, value):
				t.Fatalf("bit %d of the head is not missed", i)
			case inHead && i/8 >= packHeadSize: // where a record begins, and the one before ends
				least = jobs - 2
			case inHead && i/8 > crcSize-1: // that it is a pack, and of how many
				least = 0
			}
			if n < least {
				t.Fatalf("with bit %d flipped, %d jobs of %d are right", i, n, jobs)
			}
			b[i/8] ^= 1 << (i % 8)
		}
	}
}

// FuzzPack takes apart what the fuzzer likes, as a pack whose head's checksum is
// right and as one whose is not, and puts together again what is a pack.
func FuzzPack(f *testing.F) {
	for _, jobs := range []int{1, 2, 5} {
		_, value := packOf(jobs)
		f.Add(value[crcSize:])
	}
	f.Add([]byte{packed, 0xff, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, body []byte) {
		key := appendKey(nil, someJob.ID)
		value := append(make([]byte, crcSize), body...)
		unpacked([]element{{key: key, value: value}})
		if n := packHeadSize + startSize*int(binary.BigEndian.Uint16(append(value, make([]byte, 8)...)[crcSize+1:])); n <= len(value) {
			seal(key, value[:n])
		}
		p, err := openPack(key, value)
		if err != nil || p.alone {
			return
		}
		var again packing
		for i := range p.count {
			_, record := p.at(i)
			if p.find(p.id(i)) == nil {
				t.Fatalf("record %d is not to be found", i)
			}
			again.add(p.id(i), record)
		}
		if k, v := again.seal(new(arena)); again.alone == nil && (!bytes.Equal(k, key) || !bytes.Equal(v, value)) {
			t.Errorf("%x becomes %x", value, v)
		}
	})
}
