package power

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gearbolt/integration/device"
	"gearbolt/integration/judge"
)

var places = flag.Int("errors", 6, "places at which the disk fails, of each kind of failure")

const (
	exitStore = 74          // of a server whose store has failed
	exitLimit = time.Second // within which it ends

	imagesPerError = 8
)

// TestError has the disk fail once, and cuts the power after that, both before
// and after the server was started again on the machine that still has in its
// memory what never got to the disk.
func TestError(t *testing.T) {
	for fault := range device.Faults {
		t.Run(strings.ReplaceAll(fault.String(), " ", "-"), func(t *testing.T) {
			var sum tally
			for k := range int64(*places) {
				sum.add(failAt(t, ours(t), fault, 1+k*7))
			}
			sum.report(t)
			if sum.failed == 0 {
				t.Error("the disk never failed")
			}
		})
	}
}

// A tally sums up what came of errors.
type tally struct {
	failed  int           // how often the disk has failed
	ended   int           // servers that ended of it
	slowest time.Duration // 0: the moment of the failure is not known
	images  int
	bad     int
	what    []string
}

func (a *tally) add(b tally) {
	a.failed += b.failed
	a.ended += b.ended
	a.slowest = max(a.slowest, b.slowest)
	a.images += b.images
	a.bad += b.bad
	a.what = append(a.what, b.what...)
}

func (a *tally) wrong(format string, args ...any) {
	a.what = append(a.what, fmt.Sprintf(format, args...))
}

func (a *tally) report(t *testing.T) {
	t.Helper()
	for _, w := range a.what[:min(len(a.what), 3)] {
		t.Errorf("-seed %d: %s", *seed, w)
	}
	t.Logf("%d failures, and %d servers ended of them (the slowest after %v); %d of %d images are bad",
		a.failed, a.ended, a.slowest.Round(time.Millisecond), a.bad, a.images)
}

// failAt has the k-th of what fault is about fail under load.
func failAt(t *testing.T, p program, fault device.Fault, k int64) (sum tally) {
	t.Helper()
	s := newScene(t, format(t, device.Ext4, 64<<20), judge.New())
	if !s.fail(t, p, fault, k, sum.watch) {
		return sum
	}
	sum.failed++
	sum.refusals(s.book)
	down := s.recorder.Len()
	sum.startAgain(p, s)
	rec := s.stop(t)
	sum.cut(s, ours(t), rec, down, rand.New(rand.NewPCG(*seed, uint64(k))))
	return sum
}

// fail has peers work on a server on a disk that fails once, and reports whether
// it did. Then it hands the server to after, before it kills it.
func (s *scene) fail(t *testing.T, p program, fault device.Fault, k int64, after func(*server, device.Moment)) bool {
	t.Helper()
	s.book.Started()
	server, err := p.start(s.recorder.Dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Kill)
	s.recorder.Fail(fault, k, 1)
	at := mixed.begin(server.addr, s.book, *seed+uint64(k))
	at.submitting.Wait()
	failed, yes := s.recorder.Failed()
	if yes {
		after(server, failed)
	}
	server.Kill()
	s.book.Died()
	at.working.Wait()
	s.recorder.Heal()
	return yes
}

// watch waits for the end of a server whose disk has failed.
func (a *tally) watch(s *server, failed device.Moment) {
	err := s.Wait(startLimit)
	took := time.Duration(device.Now() - failed)
	var exit *exec.ExitError
	switch {
	case !errors.As(err, &exit) || exit.ExitCode() != exitStore:
		a.wrong("the server whose disk failed ended with %v, and not with exit code %d", err, exitStore)
	case took > exitLimit:
		a.wrong("the server ended %v after its disk failed", took)
	default:
		a.ended++
		a.slowest = max(a.slowest, took)
	}
}

// refusals looks for submissions that were refused: of a failed transaction
// nobody can say that it is not on the disk.
func (a *tally) refusals(book *judge.Book) {
	for _, e := range book.Events() {
		if e.Kind == judge.Refused {
			a.wrong("a submission was refused, although nobody knows what is on the disk: %s", e)
			return
		}
	}
}

// startAgain starts a server on the disk while it is still mounted. If the file
// system lets nobody write any more, it says so.
func (a *tally) startAgain(p program, s *scene) {
	probe := filepath.Join(s.recorder.Dir, "probe")
	if err := os.WriteFile(probe, nil, 0o600); errors.Is(err, unix.EROFS) {
		s.book.Started()
		if _, err := p.start(s.recorder.Dir); err == nil || !strings.Contains(err.Error(), "read-only file system") {
			a.wrong("on a disk that cannot be written to, the server says: %v", err)
		}
		s.book.Died()
		return
	}
	if wrong := inspect(p, s.recorder.Dir, s.book); len(wrong) > 0 {
		a.wrong("after a restart without a power cut: %s", strings.Join(wrong, "\n"))
	}
}

// cut looks at the disk as it was when the server was down, and at times after.
func (a *tally) cut(s *scene, p program, rec *device.Recording, down int, chance *rand.Rand) {
	cuts := make([]int, imagesPerError)
	for i := range cuts {
		if cuts[i] = down; i%2 == 1 {
			cuts[i] += chance.IntN(rec.Len() - down + 1)
		}
	}
	bad, what := s.survey(p, rec, cuts)
	a.images += len(cuts)
	if a.bad += bad; bad > 0 {
		a.wrong("%d of %d images: %s", bad, len(cuts), what)
	}
}
