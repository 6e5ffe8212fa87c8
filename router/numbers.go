package router

import "slices"

// The jobs by their numbers. Numbers are given one after the other, so that
// jobs lie together in blocks, as they were submitted; a block in which
// no job is left goes. It is small, since jobs that stay for long between many
// that do not each keep one, and may take no more than what they count for.

// blockSize is how many numbers a block spans.
const blockSize = 8

// A block is the jobs of one epoch whose numbers are nth*blockSize and on.
type block struct {
	epoch, nth uint64
	jobs       [blockSize]jobRef
	n          uint32 // jobs in it
	ref        ref[block]
}

// numbers knows every job.
type numbers struct {
	blocks slabs[block]
	index  index[block]
	n      int    // jobs
	latest *block // where the last job was added; it stays when it is empty
}

// hashBlock spreads what is mostly consecutive over all bits.
func hashBlock(epoch, nth uint64) uint32 {
	return uint32(mix(mix(epoch) ^ nth))
}

// mix is the finalizer of MurmurHash3: every bit of x changes every bit of
// the result.
func mix(x uint64) uint64 {
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

func (s *numbers) block(id jobNumber) *block {
	nth := id.Seq / blockSize
	if b := s.latest; b != nil && b.nth == nth && b.epoch == id.Epoch {
		return b
	}
	found := s.index.with(hashBlock(id.Epoch, nth))
	for ref := found.one(); ref != 0; ref = found.one() {
		if b := s.blocks.at(ref); b.nth == nth && b.epoch == id.Epoch {
			return b
		}
	}
	return nil
}

// get returns the job of that number, or 0.
func (s *numbers) get(id jobNumber) jobRef {
	if b := s.block(id); b != nil {
		return b.jobs[id.Seq%blockSize]
	}
	return 0
}

// add makes a job known by its number, which no other has.
func (s *numbers) add(id jobNumber, job jobRef) {
	b := s.block(id)
	if b == nil {
		b = s.newBlock(id)
	}
	b.jobs[id.Seq%blockSize] = job
	b.n++
	s.n++
}

// newBlock makes the block that a number lies in, of the memory of the one
// before if that is empty.
func (s *numbers) newBlock(id jobNumber) *block {
	b := s.latest
	if b == nil || b.n > 0 {
		var ref ref[block]
		ref, b = s.blocks.add()
		b.ref = ref
	} else {
		s.index.remove(hashBlock(b.epoch, b.nth), b.ref)
	}
	b.epoch, b.nth = id.Epoch, id.Seq/blockSize
	s.index.add(hashBlock(b.epoch, b.nth), b.ref)
	s.latest = b
	return b
}

// remove makes a job's number unknown.
func (s *numbers) remove(id jobNumber) {
	b := s.block(id)
	b.jobs[id.Seq%blockSize] = 0
	b.n--
	s.n--
	if b.n == 0 && b != s.latest {
		s.index.remove(hashBlock(b.epoch, b.nth), b.ref)
		s.blocks.drop(b.ref)
	}
}

// all yields the jobs, in no order. None may come or go meanwhile.
func (s *numbers) all(yield func(jobRef) bool) {
	for ref := range s.index.all {
		for _, job := range s.blocks.at(ref).jobs {
			if job != 0 && !yield(job) {
				return
			}
		}
	}
}

// sorted yields the jobs in the order of their numbers.
func (s *numbers) sorted(yield func(jobRef) bool) {
	blocks := make([]*block, 0, s.index.n)
	for ref := range s.index.all {
		blocks = append(blocks, s.blocks.at(ref))
	}
	slices.SortFunc(blocks, func(a, b *block) int {
		return jobNumber{Epoch: a.epoch, Seq: a.nth}.Compare(jobNumber{Epoch: b.epoch, Seq: b.nth})
	})
	for _, b := range blocks {
		for _, job := range b.jobs {
			if job != 0 && !yield(job) {
				return
			}
		}
	}
}
