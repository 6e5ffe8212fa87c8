package power

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"gearbolt/integration/device"
	"gearbolt/integration/judge"
)

// emptyStore reports a store that is a file of no bytes: bbolt would take it for
// a new one.
func emptyStore(disk string) []string {
	info, err := os.Stat(storeFile(disk))
	if err == nil && info.Size() == 0 {
		return []string{"the store is a file of no bytes"}
	}
	return nil
}

// share is how many of the images fall to a test that is given so many of 60.
func share(of60 int) int { return (*images*of60 + 59) / 60 }

// expectAll fails the test if a disk is not as it should be.
func expectAll(t *testing.T, s *scene, rec *device.Recording, cuts []int) {
	t.Helper()
	began := time.Now()
	bad, what := s.survey(ours(t), rec, cuts)
	if bad > 0 {
		t.Errorf("%d of %d images are bad, -seed %d; the first: %s", bad, len(cuts), *seed, what)
	}
	totals := s.book.Totals()
	t.Logf("%d images of %d writes and flushes in %.1f s: %d bad; %d jobs acknowledged, %d ended",
		len(cuts), rec.Len(), time.Since(began).Seconds(), bad, totals.Acknowledged, totals.Ended)
}

// TestCut cuts the power while a server is under load.
func TestCut(t *testing.T) {
	for _, c := range []struct {
		name   string
		kind   device.Kind
		size   int64
		load   load
		images int // of 60
	}{
		{"ext4", device.Ext4, 64 << 20, mixed, 24},
		{"ext4 growing", device.Ext4, 192 << 20, growing, 8},
		{"xfs", device.XFS, 300 << 20, mixed, 12},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, format(t, c.kind, c.size), judge.New())
			c.load.run(t, ours(t), s.recorder.Dir, s.book, *seed)
			rec := s.stop(t)
			expectAll(t, s, rec, randomCuts(rec, share(c.images), rand.New(rand.NewPCG(*seed, 1))))
		})
	}
}

// TestCutAtFirstStart cuts the power at every write while a store is made (on
// XFS, which is slow to recover, at some, unless many images are asked for):
// there is none then, or a good one. The last thing that happens is that a job
// is acknowledged.
func TestCutAtFirstStart(t *testing.T) {
	for _, kind := range []device.Kind{device.Ext4, device.XFS} {
		t.Run(string(kind), func(t *testing.T) {
			s := newScene(t, format(t, kind, kind.Smallest()), judge.New())
			one := load{submitters: 1, jobs: 1, window: 1, payload: 100}
			one.run(t, ours(t), s.recorder.Dir, s.book, *seed)
			rec := s.stop(t)
			var cuts []int
			for range max(1, *images/200) {
				for n := range rec.Len() + 1 {
					cuts = append(cuts, n)
				}
			}
			if kind == device.XFS && *images < 200 {
				cuts = randomCuts(rec, 20, rand.New(rand.NewPCG(*seed, 5)))
			}
			expectAll(t, s, rec, cuts)
		})
	}
}

// TestCutTwice cuts the power, starts a server on what is left, and cuts the
// power again: while the file system recovers, while the server starts, and
// while it works again.
func TestCutTwice(t *testing.T) {
	const lives = 4
	first := newScene(t, format(t, device.Ext4, 64<<20), judge.New())
	mixed.run(t, ours(t), first.recorder.Dir, first.book, *seed)
	rec := first.stop(t)
	chance := rand.New(rand.NewPCG(*seed, 2))
	for _, cut := range randomCuts(rec, lives, chance) {
		im, err := rec.Cut(cut, chance)
		if err != nil {
			t.Fatal(err)
		}
		defer im.Close()
		s := newScene(t, im, first.until(rec, cut))
		short := load{submitters: 2, workers: 2, jobs: 20, window: 4, payload: 2000}
		short.run(t, ours(t), s.recorder.Dir, s.book, *seed)
		again := s.stop(t)
		expectAll(t, s, again, randomCuts(again, (share(12)+lives-1)/lives, chance))
	}
}
