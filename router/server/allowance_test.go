package server

import (
	"math/rand/v2"
	"testing"
	"time"
)

// A sharer is somebody who takes more and more of an allowance, and gives it back.
type sharer struct {
	has    int64
	claims *claim // nil: it does not wait
}

// takes has it ask for n bytes more, out of missing that it will ask for.
func (h *sharer) takes(a *allowance, n, missing int64) {
	if h.claims = a.take(want{n: n, own: h.has, missing: missing}); h.claims == nil {
		h.has += n
	}
}

// looks has it see what has become of its claim; one that is refused gives all
// back, as one does that gives up.
func (h *sharer) looks(a *allowance, givesUp bool) {
	if h.claims == nil {
		return
	}
	if h.claims.line != nil && !givesUp {
		return
	}
	if a.abandon(h.claims) {
		h.has += h.claims.n
	} else if h.has > 0 {
		a.give(h.has)
		h.has = 0
	}
	h.claims = nil
}

// Whatever sharers do, and whatever becomes of the limit, an allowance knows what
// they have, gives out no more than there is but to one who has all of it, and
// lets nobody wait whose turn it is and for whom there is enough.
func TestAllowanceKeepsCount(t *testing.T) {
	for seed := range uint64(100) {
		chance := rand.New(rand.NewPCG(seed, 0))
		a := &allowance{limit: 50}
		all := make([]sharer, 12)
		for range 1000 {
			used, limit := a.used, a.limit
			h := &all[chance.IntN(len(all))]
			switch op := chance.IntN(20); {
			case op == 0:
				a.setLimit([]int64{0, 5, 20, 50, 100}[chance.IntN(5)])
			case op == 1:
				holders := 0
				for i := range all {
					if all[i].has > 0 {
						holders++
					}
				}
				a.sacrifice(holders)
			case h.claims != nil:
				h.looks(a, op < 5)
			case h.has > 0 && op < 10:
				a.give(h.has)
				h.has = 0
			default:
				n := 1 + chance.Int64N(20)
				h.takes(a, n, n+chance.Int64N(30))
			}
			allLook(a, all)
			checkAllowance(t, a, all)
			if a.used > used && a.limit > 0 && a.limit == limit && a.used > a.limit && !oneHasAll(a, all) {
				t.Fatalf("seed %d: %d of %d are given out", seed, a.used, a.limit)
			}
		}
		for range all { // who gives up may make room for others, who then have some
			for i := range all {
				all[i].looks(a, true)
				a.give(all[i].has)
				all[i].has = 0
			}
		}
		if a.used != 0 || a.awaited() {
			t.Fatalf("seed %d: %d are in use at the end, and somebody waits: %v", seed, a.used, a.awaited())
		}
	}
}

// allLook has all see what has become of their claims, until none has changed by
// what another one gave back.
func allLook(a *allowance, all []sharer) {
	for range all {
		for i := range all {
			all[i].looks(a, false)
		}
	}
}

func checkAllowance(t *testing.T, a *allowance, all []sharer) {
	t.Helper()
	sum, waiting := int64(0), 0
	for i := range all {
		if sum += all[i].has; all[i].claims != nil {
			waiting++
		}
	}
	if sum != a.used || waiting != a.goOn.Len()+a.begin.Len() {
		t.Fatalf("%d are in use and %d wait; the allowance knows of %d, and of %d and %d",
			sum, waiting, a.used, a.goOn.Len(), a.begin.Len())
	}
	for c := range a.goOn.claims {
		if a.fits(c.want) {
			t.Fatalf("%+v waits, with %d of %d in use", c.want, a.used, a.limit)
		}
	}
	if first := a.begin.Front(); first != nil && a.goOn.Len() == 0 && a.fits(first.Value.(*claim).want) {
		t.Fatalf("%+v is the first to begin and waits, with %d of %d in use", first.Value.(*claim).want, a.used, a.limit)
	}
}

func oneHasAll(a *allowance, all []sharer) bool {
	for i := range all {
		if all[i].has == a.used {
			return true
		}
	}
	return false
}

// Nobody is to make room for those who have not waited long, nor where there is
// no limit any more, whatever the limit was before.
func TestWhatIsLackingAfterALimitHasChanged(t *testing.T) {
	now := time.Unix(1000, 0)
	a := &allowance{limit: 10}
	a.take(want{n: 10, missing: 10})
	a.take(want{n: 1, missing: 1, since: now})
	a.setLimit(5)
	if early, long := a.lacking(now.Add(-1)), a.lacking(now); early != 0 || long != 6 {
		t.Errorf("%d and %d are lacking, want 0 and 6", early, long)
	}
	a.setLimit(0)
	if n := a.lacking(now); n != 0 {
		t.Errorf("%d are lacking without a limit", n)
	}
}
