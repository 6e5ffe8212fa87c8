package router

import (
	"math/rand/v2"
	"testing"
	"unsafe"
)

// A bookkeeper holds an index against a map.
type bookkeeper struct {
	*testing.T
	rng   *rand.Rand
	index index[int]
	kept  map[ref[int]]uint32 // hashes
}

// hash is one that some eight things have, more than a bucket takes.
func (b *bookkeeper) hash(thing ref[int]) uint32 { return uint32(mix(uint64(thing / 3 % 5000))) }

func (b *bookkeeper) finds(thing ref[int]) bool {
	n := 0
	found := b.index.with(b.hash(thing))
	for x := found.one(); x != 0; x = found.one() {
		if b.kept[x] != b.hash(thing) {
			b.Fatalf("%d is found by the hash of %d", x, thing)
		}
		if x == thing {
			n++
		}
	}
	if n > 1 {
		b.Fatalf("%d is found %d times", thing, n)
	}
	return n == 1
}

// next adds, replaces or removes a thing, until there are as many as wanted.
func (b *bookkeeper) next(most int) {
	thing := ref[int](1 + b.rng.IntN(40_000))
	hash, is := b.kept[thing]
	if b.finds(thing) != is {
		b.Fatalf("of %d, %d is found: %v", len(b.kept), thing, !is)
	}
	switch other := thing + 100_000; {
	case is && b.rng.IntN(10) == 0:
		b.kept[other] = hash
		b.index.replace(hash, thing, other)
		if b.finds(thing) {
			b.Fatalf("%d is found after it was replaced", thing)
		}
		b.index.replace(hash, other, thing)
		delete(b.kept, other)
	case !is && len(b.kept) < most:
		b.kept[thing] = b.hash(thing)
		b.index.add(b.hash(thing), thing)
	case is && len(b.kept) > most:
		b.index.remove(hash, thing)
		delete(b.kept, thing)
	}
}

// TestIndex holds an index against a map while it becomes large, and small
// again, with hashes that many things share.
func TestIndex(t *testing.T) {
	b := &bookkeeper{T: t, rng: rand.New(rand.NewPCG(1, 1)), kept: make(map[ref[int]]uint32)}
	if b.finds(1) {
		t.Error("an empty index finds something")
	}
	for round, most := range []int{10, 5000, 100, 20_000, 0, 50} {
		for len(b.kept) != most {
			b.next(most)
		}
		n := 0
		for thing := range b.index.all {
			if _, is := b.kept[thing]; !is {
				t.Fatalf("round %d: %d is in the index, and not in the map", round, thing)
			}
			n++
		}
		if n != most {
			t.Errorf("round %d: %d things of %d", round, n, most)
		}
		if err := b.index.check(most); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		if kept := len(b.index.segments) * segmentSize; kept > most+2*segmentSize {
			t.Errorf("round %d: memory for %d buckets, of %d things", round, kept, most)
		}
	}
}

// TestIndexSpreads: with hashes that are spread, few buckets need another one.
func TestIndexSpreads(t *testing.T) {
	if size := unsafe.Sizeof(bucket[int]{}); size != 64 {
		t.Errorf("a bucket has %d bytes", size)
	}
	var x index[int]
	for n := 1; n <= 100_000; n++ {
		x.add(uint32(mix(uint64(n))), ref[int](n))
		if n%1000 != 0 {
			continue
		}
		second := 0
		for i := range x.buckets {
			if x.at(i).more != 0 {
				second++
			}
		}
		if second > x.buckets/4 {
			t.Fatalf("%d things in %d buckets: %d have more", n, x.buckets, second)
		}
	}
	if err := x.check(100_000); err != nil {
		t.Error(err)
	}
}

// TestIndexOfOneHash: a great many things may share a hash, and to add one more,
// or to split what they lie in, does not walk them all.
func TestIndexOfOneHash(t *testing.T) {
	const n = 1_000_000
	var x index[int]
	for thing := ref[int](1); thing <= n; thing++ {
		x.add(7, thing)
	}
	if err := x.check(n); err != nil {
		t.Fatal(err)
	}
	for range n {
		first := x.with(7)
		x.remove(7, first.one())
	}
	if err := x.check(0); err != nil {
		t.Error(err)
	}
}
