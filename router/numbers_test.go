package router

import (
	"math/rand/v2"
	"testing"
)

// TestNumbers: jobs of several epochs, some far from the next, are found, listed
// in order, and leave no memory behind.
func TestNumbers(t *testing.T) {
	var s numbers
	var all []jobNumber
	for epoch := range uint64(3) {
		for seq := uint64(1); seq < 1<<40; seq += 1 + seq/3 {
			all = append(all, jobNumber{Epoch: epoch + 1, Seq: seq})
		}
	}
	for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(len(all)) {
		s.add(all[i], jobRef(i+1))
	}
	i := 0
	for job := range s.sorted {
		if i++; job != jobRef(i) {
			t.Fatalf("place %d has job %v, not %v", i-1, all[job-1], all[i-1])
		}
	}
	if i != len(all) || s.n != len(all) {
		t.Errorf("%d jobs of %d are listed, and n is %d", i, len(all), s.n)
	}
	for i, id := range all {
		if s.get(id) != jobRef(i+1) {
			t.Fatalf("job %v is not found", id)
		}
		if s.remove(id); s.get(id) != 0 {
			t.Fatalf("job %v is found after its end", id)
		}
	}
	if s.n != 0 || s.index.n > 1 {
		t.Errorf("%d jobs and %d blocks are left", s.n, s.index.n)
	}
	if err := s.blocks.check(s.index.n); err != nil {
		t.Error(err)
	}
}
