package router

import (
	"math/rand/v2"
	"testing"
)

type entry struct {
	place place[entry]
	key   int
}

// TestTable holds a table against a map while it becomes large, and small
// again, with hashes that many elements share.
func TestTable(t *testing.T) {
	table := newTable(func(e *entry) *place[entry] { return &e.place })
	entries := make(map[int]*entry)
	rng := rand.New(rand.NewPCG(1, 1))
	hash := func(key int) uint64 { return mix(uint64(key / 3)) }
	look := func(key int) (found *entry) {
		for e := range table.with(hash(key)) {
			if e.key == key {
				found = e
			}
		}
		return found
	}
	for round, most := range []int{10, 5000, 100, 20_000, 0} {
		for len(entries) != most {
			key := rng.IntN(40_000)
			e := entries[key]
			if look(key) != e {
				t.Fatalf("round %d, %d entries: key %d is found as %v, not %v", round, len(entries), key, look(key), e)
			}
			switch {
			case e == nil && len(entries) < most:
				entries[key] = &entry{key: key}
				table.add(entries[key], hash(key))
			case e != nil && len(entries) > most:
				table.remove(e)
				delete(entries, key)
			}
		}
		n := 0
		for e := range table.all {
			if n++; entries[e.key] != e {
				t.Fatalf("round %d: %d is in the table, and not in the map", round, e.key)
			}
		}
		if n != most || table.n != most {
			t.Errorf("round %d: %d entries of %d, and n is %d", round, n, most, table.n)
		}
		if full := table.buckets; full > 2*most+2 || full < most {
			t.Errorf("round %d: %d buckets for %d entries", round, full, most)
		}
		if kept := len(table.segments) * segmentSize; kept > 2*most+2*segmentSize {
			t.Errorf("round %d: memory for %d buckets, of %d entries", round, kept, most)
		}
	}
}

// TestJobsByNumber: jobs of several epochs, some far from the next, are found,
// listed in order, and leave no memory behind.
func TestJobsByNumber(t *testing.T) {
	s := newJobsByNumber()
	var all []*job
	for epoch := range uint64(3) {
		o := &origin{"H", epoch + 1}
		for seq := uint64(1); seq < 1<<40; seq += 1 + seq/3 {
			all = append(all, &job{origin: o, seq: seq})
		}
	}
	for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(len(all)) {
		s.add(all[i])
	}
	i := 0
	for j := range s.sorted {
		if j != all[i] {
			t.Fatalf("place %d has job %v, not %v", i, j.id(), all[i].id())
		}
		i++
	}
	if i != len(all) || s.n != len(all) {
		t.Errorf("%d jobs of %d are listed, and n is %d", i, len(all), s.n)
	}
	for _, j := range all {
		if s.get(j.id()) != j {
			t.Fatalf("job %v is not found", j.id())
		}
		if s.remove(j); s.get(j.id()) != nil {
			t.Fatalf("job %v is found after its end", j.id())
		}
	}
	if s.n != 0 || s.blocks.n > 1 {
		t.Errorf("%d jobs and %d blocks are left", s.n, s.blocks.n)
	}
}
