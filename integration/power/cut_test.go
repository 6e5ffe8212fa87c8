package power

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gearbolt/integration/device"
	"gearbolt/integration/judge"
)

var (
	images = flag.Int("images", 60, "disks after a power cut to look at, those of first starts not counted")
	seed   = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the load, the cuts and what gets through")
)

// A scene is a recorded disk with a server on it, and a book of its peers.
type scene struct {
	recorder *device.Recorder
	book     *judge.Book
	zero     time.Duration // what the book's clock shows when the disk's shows 0
}

func newScene(t *testing.T, base *device.Image, book *judge.Book) *scene {
	t.Helper()
	r, err := device.Record(base)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return &scene{r, book, book.Now() - time.Duration(device.Now())}
}

func format(t *testing.T, kind device.Kind, size int64) *device.Image {
	t.Helper()
	device.Need(t, "mkfs."+string(kind))
	base, err := device.Format(kind, size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { base.Close() })
	return base
}

// stop ends the recording.
func (s *scene) stop(t *testing.T) *device.Recording {
	t.Helper()
	rec, err := s.recorder.Stop()
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// until is the book as it was when the disk was cut off.
func (s *scene) until(rec *device.Recording, cut int) *judge.Book {
	return s.book.Until(s.zero + time.Duration(rec.Moment(cut)))
}

// look cuts the disk off and looks at what is there. It returns what is wrong.
func (s *scene) look(p program, rec *device.Recording, cut int, chance *rand.Rand) (wrong []string) {
	im, err := rec.Cut(cut, chance)
	if err != nil {
		return []string{err.Error()}
	}
	defer im.Close()
	m, err := im.Mount()
	if err != nil {
		return []string{err.Error()}
	}
	defer func() {
		if err := m.Unmount(); err != nil {
			wrong = append(wrong, err.Error())
		}
	}()
	if wrong := emptyStore(m.Dir); len(wrong) > 0 {
		return wrong
	}
	return inspect(p, m.Dir, s.until(rec, cut))
}

// survey looks at cuts, several at a time, and returns how many disks are not
// as they should be, and what is wrong with the first of them.
func (s *scene) survey(p program, rec *device.Recording, cuts []int) (bad int, what string) {
	const atOnce = 2
	var next atomic.Int64
	var all sync.WaitGroup
	var mu sync.Mutex
	for range atOnce {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(cuts); i = int(next.Add(1)) - 1 {
				wrong := s.look(p, rec, cuts[i], rand.New(rand.NewPCG(*seed, uint64(i))))
				mu.Lock()
				if len(wrong) > 0 {
					if bad++; bad == 1 {
						what = fmt.Sprintf("image %d, cut at %d of %d: %s", i, cuts[i], rec.Len(), strings.Join(wrong[:min(len(wrong), 3)], "\n"))
					}
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return bad, what
}

// randomCuts draws n cuts.
func randomCuts(rec *device.Recording, n int, chance *rand.Rand) []int {
	cuts := make([]int, n)
	for i := range cuts {
		cuts[i] = chance.IntN(rec.Len() + 1)
	}
	return cuts
}
