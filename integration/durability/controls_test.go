package durability

import (
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
)

// The checks are shown servers that break the promise, and must see it: else
// they would see nothing in ours.

// A server without a store loses everything.
func TestMemoryIsSeenToLose(t *testing.T) {
	addr, b := harness.FreeAddr(t), judge.New()
	s := harness.GearboltAt(t, addr, t.TempDir(), "--store", "memory")
	b.Started()
	play(b, addr)
	kill(b, s)
	harness.GearboltAt(t, addr, t.TempDir(), "--store", "memory")
	b.Started()
	server, err := b.Look(addr)
	if err != nil {
		t.Fatal(err)
	}
	if !loses(t, b.Judge(&judge.After{Server: server})) {
		t.Error("nothing was seen to be lost")
	}
}

// A server that acknowledges before it stores loses what it has acknowledged
// last, when it is killed at the right call.
func TestHasteIsSeenToLose(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "hasty")
	if out, err := exec.Command("go", "build", "-o", bin, "gearbolt/integration/durability/hasty").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	const stride = 3
	tried := 0
	for nth := 1; ; nth += stride {
		dir, b := t.TempDir(), judge.New()
		tr, addr := traced(t, b, bin, dir, nth)
		play(b, addr)
		if calls := died(t, b, tr); calls < nth {
			break
		}
		tried++
		if loses(t, b.Judge(&judge.After{Store: judge.ReadStore(filepath.Join(dir, "data"))})) {
			t.Logf("seen to lose at the kill number %d, at call %d", tried, nth)
			return
		}
	}
	t.Errorf("nothing was seen to be lost in %d kills", tried)
}

// loses reports whether a loss is among the violations, which are nothing else.
func loses(t *testing.T, all []judge.Violation) bool {
	t.Helper()
	for _, v := range all {
		if v.Invariant != judge.I1NoLoss {
			t.Error(v)
		}
	}
	return slices.ContainsFunc(all, func(v judge.Violation) bool { return v.Invariant == judge.I1NoLoss })
}
