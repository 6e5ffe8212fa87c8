package router

import "math/bits"

// A table finds elements by a hash of what they are looked up by. It grows and
// shrinks by one bucket at a time (linear hashing), as elements come and go: no
// single event pays for the size of the whole, and a table that has been large
// gives its memory back, neither of which a Go map does.
type table[T any] struct {
	place    func(*T) *place[T] // where an element keeps its place in this table
	segments []*segment[T]
	buckets  int // in use; a power of two, and those that were split since
	n        int // elements
}

// A place is what an element keeps for a table that it is in. Elements of one
// bucket are chained, in no order.
type place[T any] struct {
	hash uint64
	next *T
}

// segmentSize is how many buckets come and go together as memory.
const segmentSize = 512

type segment[T any] [segmentSize]*T

func newTable[T any](where func(*T) *place[T]) table[T] {
	return table[T]{place: where, segments: []*segment[T]{new(segment[T])}, buckets: 1}
}

// base is the largest power of two that is not above the number of buckets.
// Buckets below buckets-base were split, and share what they held with their
// counterpart base above.
func (t *table[T]) base() int { return 1 << (bits.Len(uint(t.buckets)) - 1) }

// bucket is where elements with that hash are chained.
func (t *table[T]) bucket(hash uint64) **T {
	base := t.base()
	at := int(hash & uint64(2*base-1))
	if at >= t.buckets {
		at -= base
	}
	return t.at(at)
}

func (t *table[T]) at(bucket int) **T { return &t.segments[bucket/segmentSize][bucket%segmentSize] }

// add puts an element, which must not be in the table, under a hash.
func (t *table[T]) add(x *T, hash uint64) {
	b := t.bucket(hash)
	*t.place(x) = place[T]{hash, *b}
	*b = x
	if t.n++; t.n > t.buckets {
		t.grow()
	}
}

// remove takes out an element, which must be in the table.
func (t *table[T]) remove(x *T) {
	p := t.place(x)
	b := t.bucket(p.hash)
	for *b != x {
		b = &t.place(*b).next
	}
	*b, p.next = p.next, nil
	t.n--
	for range 2 { // for one element, since it takes half as many to keep a bucket
		if t.buckets > 1 && t.n < t.buckets/2 {
			t.shrink()
		}
	}
}

// with yields the elements with that hash. None may come or go meanwhile.
func (t *table[T]) with(hash uint64) func(func(*T) bool) {
	return func(yield func(*T) bool) {
		for x := *t.bucket(hash); x != nil; {
			p := t.place(x)
			if p.hash == hash && !yield(x) {
				return
			}
			x = p.next
		}
	}
}

// all yields all elements, in no order. None may come or go meanwhile.
func (t *table[T]) all(yield func(*T) bool) {
	for i := range t.buckets {
		for x := *t.at(i); x != nil; x = t.place(x).next {
			if !yield(x) {
				return
			}
		}
	}
}

// grow splits the next bucket that has not been split since the number of
// buckets was last a power of two.
func (t *table[T]) grow() {
	base := t.base()
	if t.buckets == len(t.segments)*segmentSize {
		t.segments = append(t.segments, new(segment[T]))
	}
	from, to := t.at(t.buckets-base), t.at(t.buckets)
	t.buckets++
	for x := *from; x != nil; x = *from {
		p := t.place(x)
		if p.hash&uint64(base) == 0 {
			from = &p.next
			continue
		}
		*from = p.next
		p.next, *to = *to, x
	}
}

// shrink takes the last split back.
func (t *table[T]) shrink() {
	t.buckets--
	last, into := t.at(t.buckets), t.at(t.buckets-t.base())
	for x := *last; x != nil; x = *last {
		p := t.place(x)
		*last = p.next
		p.next, *into = *into, x
	}
	if spare := t.buckets/segmentSize + 2; spare < len(t.segments) {
		t.segments[spare] = nil
		t.segments = compact(t.segments[:spare])
	}
}

// compact returns s with no more memory than it needs for a while, copying it
// so rarely that each element removed pays for a few.
func compact[T any](s []T) []T {
	if cap(s) < 64 || len(s) > cap(s)/4 {
		return s
	}
	return append(make([]T, 0, cap(s)/2), s...)
}
