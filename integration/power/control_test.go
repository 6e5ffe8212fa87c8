package power

import (
	"testing"

	"gearbolt/integration/device"
	"gearbolt/integration/judge"
)

// TestNoSyncLoses cuts the power of a server that does not sync.
func TestNoSyncLoses(t *testing.T) {
	s := newScene(t, format(t, device.Ext4, 64<<20), judge.New())
	careless := ours(t, "--unsafe-no-fsync")
	mixed.run(t, careless, s.recorder.Dir, s.book, *seed)
	killed := device.Now()
	rec := s.stop(t)
	// When it was killed, all was acknowledged, and little was written.
	cuts := make([]int, 12)
	for i := range cuts {
		cuts[i] = rec.After(killed) + i/3
	}
	bad, what := s.survey(ours(t), rec, cuts)
	if bad == 0 {
		t.Errorf("a server that does not sync has lost nothing in %d power cuts: the tests of power cuts find nothing", len(cuts))
	}
	t.Logf("%d of %d images are bad, as they must be; the first: %.300s", bad, len(cuts), what)
}

// TestGoingOnLoses has the disk of a server fail that goes on as if nothing
// had happened, and cuts the power when it has gone on for a while.
func TestGoingOnLoses(t *testing.T) {
	device.Need(t, "mkfs.ext4")
	p := persistent.build(t)
	var bad, images, went int
	var first string
	for k := range int64(4) {
		s := newScene(t, format(t, device.Ext4, 64<<20), judge.New())
		if !s.fail(t, p, device.FailMeta, 20+k, func(*server, device.Moment) {}) {
			continue
		}
		went++
		failed, _ := s.recorder.Failed()
		rec := s.stop(t)
		var cuts []int
		for i := range 6 {
			cuts = append(cuts, min(rec.After(failed)+i, rec.Len()))
		}
		n, what := s.survey(ours(t), rec, cuts)
		if bad += n; first == "" {
			first = what
		}
		images += len(cuts)
	}
	if bad == 0 {
		t.Errorf("a server that goes on after an error has lost nothing: the tests of errors find nothing")
	}
	t.Logf("the disk failed %d times, and %d of %d images are bad, as some must be; the first: %.400s", went, bad, images, first)
}
