package power

import (
	"math/rand/v2"
	"os/exec"
	"testing"

	"gearbolt/integration/device"
	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
)

// TestCutInCompaction cuts the power while a store is compacted, and while a
// server works on the compacted one.
func TestCutInCompaction(t *testing.T) {
	for kind, of60 := range map[device.Kind]int{device.Ext4: 8, device.XFS: 4} {
		t.Run(string(kind), func(t *testing.T) {
			s := newScene(t, format(t, kind, max(kind.Smallest(), 128<<20)), judge.New())
			mixed.run(t, ours(t), s.recorder.Dir, s.book, *seed)
			began := s.recorder.Len()
			compact := exec.Command(harness.Binary(t), "store", "compact", dataDir(s.recorder.Dir))
			if out, err := compact.CombinedOutput(); err != nil {
				t.Fatalf("compact: %v\n%s", err, out)
			}
			short := load{submitters: 2, workers: 2, jobs: 10, window: 4, payload: 2000}
			short.run(t, ours(t), s.recorder.Dir, s.book, *seed)
			rec := s.stop(t)
			chance := rand.New(rand.NewPCG(*seed, 4))
			cuts := make([]int, share(of60))
			for i := range cuts {
				cuts[i] = began + chance.IntN(rec.Len()-began+1)
			}
			expectAll(t, s, rec, cuts)
		})
	}
}
