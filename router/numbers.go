package router

import "slices"

// The jobs by their numbers. Numbers are given one after the other, so that
// jobs lie together in blocks, as they were submitted; a block in which
// no job is left goes. It is small, since jobs that stay for long between many
// that do not each keep one.

// blockSize is how many numbers a block spans.
const blockSize = 32

// A block is the jobs of one epoch whose numbers are nth*blockSize and on.
type block struct {
	place place[block]
	epoch uint64
	nth   uint64
	n     int // jobs in it
	jobs  [blockSize]*job
}

// jobsByNumber knows every job.
type jobsByNumber struct {
	blocks table[block]
	n      int    // jobs
	latest *block // where the last job was added; it stays when it is empty
}

func newJobsByNumber() jobsByNumber {
	return jobsByNumber{blocks: newTable(func(b *block) *place[block] { return &b.place })}
}

// hashBlock spreads what is mostly consecutive over all bits.
func hashBlock(epoch, nth uint64) uint64 {
	return mix(mix(epoch) ^ nth)
}

// mix is the finalizer of MurmurHash3: every bit of x changes every bit of
// the result.
func mix(x uint64) uint64 {
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

func (s *jobsByNumber) block(id jobNumber) *block {
	nth := id.Seq / blockSize
	if b := s.latest; b != nil && b.nth == nth && b.epoch == id.Epoch {
		return b
	}
	for b := range s.blocks.with(hashBlock(id.Epoch, nth)) {
		if b.nth == nth && b.epoch == id.Epoch {
			return b
		}
	}
	return nil
}

// get returns the job of that number, or nil.
func (s *jobsByNumber) get(id jobNumber) *job {
	if b := s.block(id); b != nil {
		return b.jobs[id.Seq%blockSize]
	}
	return nil
}

// add makes a job known by its number, which no other has.
func (s *jobsByNumber) add(j *job) {
	id := j.id()
	b := s.block(id)
	if b == nil {
		b = s.newBlock(id)
	}
	b.jobs[id.Seq%blockSize] = j
	b.n++
	s.n++
}

// newBlock makes the block that a number lies in, of the memory of the one
// before if that is empty.
func (s *jobsByNumber) newBlock(id jobNumber) *block {
	b := s.latest
	if b == nil || b.n > 0 {
		b = new(block)
	} else {
		s.blocks.remove(b)
	}
	b.epoch, b.nth = id.Epoch, id.Seq/blockSize
	s.blocks.add(b, hashBlock(b.epoch, b.nth))
	s.latest = b
	return b
}

// remove makes a job's number unknown.
func (s *jobsByNumber) remove(j *job) {
	id := j.id()
	b := s.block(id)
	b.jobs[id.Seq%blockSize] = nil
	b.n--
	s.n--
	if b.n == 0 && b != s.latest {
		s.blocks.remove(b)
	}
}

// all yields the jobs, in no order. None may come or go meanwhile.
func (s *jobsByNumber) all(yield func(*job) bool) {
	for b := range s.blocks.all {
		for _, j := range b.jobs {
			if j != nil && !yield(j) {
				return
			}
		}
	}
}

// sorted yields the jobs in the order of their numbers.
func (s *jobsByNumber) sorted(yield func(*job) bool) {
	blocks := make([]*block, 0, s.blocks.n)
	for b := range s.blocks.all {
		blocks = append(blocks, b)
	}
	slices.SortFunc(blocks, func(a, b *block) int {
		return jobNumber{Epoch: a.epoch, Seq: a.nth}.Compare(jobNumber{Epoch: b.epoch, Seq: b.nth})
	})
	for _, b := range blocks {
		for _, j := range b.jobs {
			if j != nil && !yield(j) {
				return
			}
		}
	}
}
