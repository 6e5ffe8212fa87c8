package router

import "math/bits"

// Slabs are where things lie that come and go in great numbers and that know
// each other by numbers, refs: a pointer to each thing would cost the garbage
// collector a look at each whenever it collects. A thing stays where it is until
// it is dropped, so that a pointer to it is good for as long. Slabs come and go
// as memory.
type slabs[T any] struct {
	slabs []*[slabSize]T
	rooms []room
	open  []seat // the slabs that have room; the last one is used
	spare []seat // places in slabs without one
}

// A ref is the number of a T; 0 is none. Once the T is dropped the number is
// given again.
type ref[T any] uint32

// slabSize is how many things lie in a slab.
const slabSize = 256

// A room is what is known of a slab.
type room struct {
	taken  [slabSize / 64]uint64 // a bit for each place
	n      int                   // how many are taken
	openAt int                   // its place in open, from 1; 0: it is full
}

// first takes the first place that is free.
func (r *room) first() int {
	for i, word := range r.taken {
		if at := bits.TrailingZeros64(^word); at < 64 {
			r.taken[i] |= 1 << at
			r.n++
			return i*64 + at
		}
	}
	panic("router: no room in a slab that is open")
}

func (s *slabs[T]) at(x ref[T]) *T { return &s.slabs[(x-1)/slabSize][(x-1)%slabSize] }

// add returns a new thing, which is zero.
func (s *slabs[T]) add() (ref[T], *T) {
	if len(s.open) == 0 {
		s.addSlab()
	}
	at := s.open[len(s.open)-1]
	r := &s.rooms[at]
	place := r.first()
	if r.n == slabSize {
		s.shut(at)
	}
	return ref[T](at)*slabSize + ref[T](place) + 1, &s.slabs[at][place]
}

// drop takes a thing back.
func (s *slabs[T]) drop(x ref[T]) {
	var none T
	*s.at(x) = none
	at, place := seat((x-1)/slabSize), (x-1)%slabSize
	r := &s.rooms[at]
	r.taken[place/64] &^= 1 << (place % 64)
	if r.n--; r.openAt == 0 {
		s.open = append(s.open, at)
		r.openAt = len(s.open)
	}
	if r.n == 0 && len(s.open) > 1 {
		s.shut(at)
		s.slabs[at], *r = nil, room{}
		s.spare = append(s.spare, at)
	}
}

// addSlab makes room in a new slab.
func (s *slabs[T]) addSlab() {
	var at seat
	if n := len(s.spare); n > 0 {
		at, s.spare = s.spare[n-1], s.spare[:n-1]
	} else {
		at = seat(len(s.slabs))
		s.slabs, s.rooms = append(s.slabs, nil), append(s.rooms, room{})
	}
	s.slabs[at] = new([slabSize]T)
	s.open = append(s.open, at)
	s.rooms[at].openAt = len(s.open)
}

// shut takes a slab out of those that have room.
func (s *slabs[T]) shut(at seat) {
	r, last := &s.rooms[at], len(s.open)-1
	moved := s.open[last]
	s.open[r.openAt-1], s.rooms[moved].openAt = moved, r.openAt
	s.open, r.openAt = s.open[:last], 0
}
