package router

import (
	"math/rand/v2"
	"testing"
)

// TestAbilities: abilities that come and go in any order are each their own, and
// slabs go with the last that lay in them.
func TestAbilities(t *testing.T) {
	var all abilities
	var kept []*ability
	rng := rand.New(rand.NewPCG(1, 1))
	for round, most := range []int{10, 10_000, 100, 5000, 0} {
		for len(kept) != most {
			if len(kept) < most && rng.IntN(3) > 0 || len(kept) == 0 {
				a := all.add()
				a.turn = int64(a.ref)
				kept = append(kept, a)
				continue
			}
			at, last := rng.IntN(len(kept)), len(kept)-1
			if a := kept[at]; a != all.at(a.ref) || a.turn != int64(a.ref) {
				t.Fatalf("round %d: ability %d is %+v", round, a.ref, a)
			}
			all.drop(kept[at])
			kept[at], kept = kept[last], kept[:last]
		}
		if err := all.check(most); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	if slabs := len(all.slabs) - len(all.spare); slabs != 1 {
		t.Errorf("%d slabs are left of none", slabs)
	}
}
