package router

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSlabs: things that come and go in any order are each their own, stay where
// they are and as they are, begin as zero, and slabs go with the last that lay in
// them.
func TestSlabs(t *testing.T) {
	type thing struct {
		ref   ref[thing]
		value uint64
	}
	var all slabs[thing]
	var kept []*thing
	rng := rand.New(rand.NewPCG(1, 1))
	for round, most := range []int{10, 10_000, 100, 5000, 0} {
		for len(kept) != most {
			if len(kept) < most && rng.IntN(3) > 0 || len(kept) == 0 {
				ref, x := all.add()
				if *x != (thing{}) {
					t.Fatalf("round %d: the new thing %d is %+v", round, ref, x)
				}
				x.ref, x.value = ref, mix(uint64(ref))
				kept = append(kept, x)
				continue
			}
			at := rng.IntN(len(kept))
			x := kept[at]
			if all.at(x.ref) != x || x.value != mix(uint64(x.ref)) {
				t.Fatalf("round %d: thing %d is %+v", round, x.ref, x)
			}
			all.drop(x.ref)
			kept = slices.Delete(kept, at, at+1)
		}
		if err := all.check(most); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	if slabs := len(all.slabs) - len(all.spare); slabs != 1 {
		t.Errorf("%d slabs are left of none", slabs)
	}
}

// TestSlabsFillUp: what is dropped makes room for what comes, in the order of
// the places, before there is a new slab.
func TestSlabsFillUp(t *testing.T) {
	var all slabs[int]
	for i := range 3 * slabSize {
		if ref, _ := all.add(); int(ref) != i+1 {
			t.Fatalf("thing %d has the number %d", i, ref)
		}
	}
	for _, x := range []ref[int]{300, 270, 400} {
		all.drop(x)
	}
	for _, want := range []ref[int]{270, 300, 400} {
		if ref, _ := all.add(); ref != want {
			t.Errorf("the new thing has the number %d, not %d", ref, want)
		}
	}
	if err := all.check(3 * slabSize); err != nil || len(all.slabs) != 3 {
		t.Errorf("%d slabs: %v", len(all.slabs), err)
	}
}
