package router

import "math/bits"

// An index finds things by a hash of what they are looked up by. What it knows
// of them lies in itself: to look one up is to read one line of the processor's
// cache, nearly always, and the thing itself is looked at only when all bits of
// the hash agree. It grows and shrinks by one bucket at a time (linear hashing),
// as things come and go: no single event pays for the size of the whole, and an
// index that has been large gives its memory back, neither of which a Go map
// does.
type index[T any] struct {
	segments []*[segmentSize]bucket[T]
	overflow slabs[bucket[T]]
	buckets  int // in use; a power of two, and those that were split since
	n        int // things
}

// A bucket is 64 bytes. Where that is not enough others follow, which are full;
// the first one is not empty then. What comes is put into the first one, so that
// it costs the same however many things share a hash.
type bucket[T any] struct {
	hashes [bucketSize]uint32
	refs   [bucketSize]ref[T]
	n      uint32
	more   ref[bucket[T]]
}

// bucketSize is how many things a bucket takes, and bucketLoad how many it has
// on the average when the index grows: some have twice that, those that are
// split next. It takes half as many to keep a bucket.
const (
	bucketSize = 7
	bucketLoad = 4
)

// segmentSize is how many buckets come and go together as memory.
const segmentSize = 256

// base is the largest power of two that is not above the number of buckets.
// Buckets below buckets-base were split, and share what they held with their
// counterpart base above.
func (x *index[T]) base() int { return 1 << (bits.Len(uint(x.buckets)) - 1) }

// home is the bucket of things with that hash.
func (x *index[T]) home(hash uint32) *bucket[T] {
	base := x.base()
	at := int(hash) & (2*base - 1)
	if at >= x.buckets {
		at -= base
	}
	return x.at(at)
}

func (x *index[T]) at(bucket int) *bucket[T] {
	return &x.segments[bucket/segmentSize][bucket%segmentSize]
}

// A search goes through the things with a hash. None may come or go meanwhile.
type search[T any] struct {
	in   *index[T]
	at   *bucket[T] // nil: nothing is left
	next uint32     // place in at
	hash uint32
}

// with begins a search for the things with that hash.
func (x *index[T]) with(hash uint32) search[T] {
	if x.buckets == 0 {
		return search[T]{}
	}
	return search[T]{in: x, at: x.home(hash), hash: hash}
}

// one is the next thing, or 0 after the last.
func (s *search[T]) one() ref[T] {
	for s.at != nil {
		for s.next < s.at.n {
			i := s.next
			if s.next++; s.at.hashes[i] == s.hash {
				return s.at.refs[i]
			}
		}
		s.next, s.at = 0, s.in.behind(s.at)
	}
	return 0
}

// behind is the bucket that follows b, or nil.
func (x *index[T]) behind(b *bucket[T]) *bucket[T] {
	if b.more == 0 {
		return nil
	}
	return x.overflow.at(b.more)
}

// add puts a thing, which must not be in the index, under a hash.
func (x *index[T]) add(hash uint32, thing ref[T]) {
	if x.n++; x.n > x.buckets*bucketLoad {
		x.grow()
	}
	x.put(hash, thing)
}

// put finds a place for a thing.
func (x *index[T]) put(hash uint32, thing ref[T]) {
	b := x.home(hash)
	if b.n == bucketSize {
		more, full := x.overflow.add()
		*full, *b = *b, bucket[T]{more: more}
	}
	b.hashes[b.n], b.refs[b.n] = hash, thing
	b.n++
}

// replace puts a thing in the place of another one with the same hash.
func (x *index[T]) replace(hash uint32, thing, by ref[T]) {
	b, i := x.place(hash, thing)
	b.refs[i] = by
}

// place is where a thing is that is in the index.
func (x *index[T]) place(hash uint32, thing ref[T]) (b *bucket[T], i uint32) {
	for b = x.home(hash); ; b = x.behind(b) {
		for i = range b.n {
			if b.refs[i] == thing {
				return b, i
			}
		}
	}
}

// remove takes out a thing, which must be in the index, under its hash.
func (x *index[T]) remove(hash uint32, thing ref[T]) {
	b, i := x.place(hash, thing)
	first := x.home(hash)
	first.n--
	b.hashes[i], b.refs[i] = first.hashes[first.n], first.refs[first.n]
	if more := first.more; first.n == 0 && more != 0 {
		*first = *x.overflow.at(more)
		x.overflow.drop(more)
	}
	if x.n--; x.buckets > 1 && x.n < x.buckets*bucketLoad/2 {
		x.shrink()
	}
}

// grow splits the next bucket that has not been split since the number of
// buckets was last a power of two.
func (x *index[T]) grow() {
	if x.buckets == len(x.segments)*segmentSize {
		x.segments = append(x.segments, new([segmentSize]bucket[T]))
	}
	if x.buckets++; x.buckets > 1 {
		x.scatter(x.buckets - 1 - (1 << (bits.Len(uint(x.buckets-1)) - 1)))
	}
}

// shrink takes the last split back.
func (x *index[T]) shrink() {
	x.buckets--
	x.scatter(x.buckets)
	if spare := x.buckets/segmentSize + 2; spare < len(x.segments) {
		x.segments[spare] = nil
		x.segments = compact(x.segments[:spare])
	}
}

// scatter takes all out of a bucket and those that follow it, and puts each
// thing where it belongs now.
func (x *index[T]) scatter(at int) {
	head := x.at(at)
	b := *head
	*head = bucket[T]{}
	for {
		for i := range b.n {
			x.put(b.hashes[i], b.refs[i])
		}
		if b.more == 0 {
			return
		}
		more := b.more
		b = *x.overflow.at(more)
		x.overflow.drop(more)
	}
}

// all yields all things, in no order. None may come or go meanwhile.
func (x *index[T]) all(yield func(ref[T]) bool) {
	for i := range x.buckets {
		for b := x.at(i); b != nil; b = x.behind(b) {
			for _, thing := range b.refs[:b.n] {
				if !yield(thing) {
					return
				}
			}
		}
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
