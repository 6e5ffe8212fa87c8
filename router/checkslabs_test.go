package router

import (
	"errors"
	"fmt"
	"math/bits"
)

// checkSlabs holds what lies in slabs against what is known of it.
func (m *Machine) checkSlabs() error {
	jobs, tied := m.jobs.numbers.n, 0
	origins := make(map[seat]int)
	count := func(j *job) {
		origins[j.origin]++
		if j.ties != 0 {
			tied++
		}
	}
	for j := range m.jobs.sorted {
		count(j)
	}
	for _, b := range []*batch{m.gathering, m.committing} {
		if b == nil {
			continue
		}
		for _, ref := range b.jobs {
			if ref != 0 && m.jobs.at(ref).state == done {
				jobs++
				count(m.jobs.at(ref))
			}
		}
	}
	for i, o := range m.jobs.origins.at {
		if o == nil && origins[seat(i)] > 0 || o != nil && (o.jobs != origins[seat(i)] || o.jobs == 0 && o != m.jobs.origins.last) {
			return fmt.Errorf("origin %d is %+v, and %d jobs have it", i, o, origins[seat(i)])
		}
	}
	return errors.Join(
		m.jobs.check(jobs), m.ties.check(tied),
		m.jobs.numbers.blocks.check(m.jobs.numbers.index.n), m.jobs.numbers.index.check(m.jobs.numbers.index.n),
	)
}

// check compares the slabs with how many things there are.
func (s *slabs[T]) check(all int) error {
	open, free := 0, 0
	for at, r := range s.rooms {
		if all -= r.n; s.slabs[at] == nil {
			free++
		}
		if r.openAt > 0 {
			open++
		}
		for _, word := range r.taken {
			r.n -= bits.OnesCount64(word)
		}
		if r.n != 0 {
			return fmt.Errorf("slab %d has %+d things more than places taken", at, r.n)
		}
		if r = s.rooms[at]; (r.openAt > 0) != (s.slabs[at] != nil && r.n < slabSize) {
			return fmt.Errorf("slab %d has %d things and is %d among those with room", at, r.n, r.openAt)
		}
	}
	if all != 0 || open != len(s.open) || free != len(s.spare) {
		return fmt.Errorf("%d things more than in slabs; %d slabs with room, not %d; %d gone, not %d", all, open, len(s.open), free, len(s.spare))
	}
	return nil
}

// check compares the buckets with how many things there are, and each thing's
// bucket with its hash.
func (x *index[T]) check(all int) error {
	n, chained := 0, 0
	for i := range x.buckets {
		for b := x.at(i); b != nil; b = x.behind(b) {
			if b != x.at(i) {
				chained++
			}
			if b != x.at(i) && b.n != bucketSize || b.more != 0 && b.n == 0 {
				return fmt.Errorf("bucket %d has %d things where it should not", i, b.n)
			}
			for _, hash := range b.hashes[:b.n] {
				if x.home(hash) != x.at(i) {
					return fmt.Errorf("bucket %d has the hash %x, which does not belong there", i, hash)
				}
			}
			n += int(b.n)
		}
	}
	switch {
	case n != x.n || n != all:
		return fmt.Errorf("%d things in buckets, and n is %d, of %d", n, x.n, all)
	case n > x.buckets*bucketLoad || x.buckets > 1 && n < x.buckets*bucketLoad/2-1:
		return fmt.Errorf("%d things in %d buckets", n, x.buckets)
	}
	return x.overflow.check(chained)
}
