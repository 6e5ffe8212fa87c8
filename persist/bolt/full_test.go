package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gearbolt/persist"
)

// chunky returns a job of 128 KiB.
func chunky(n uint64) *persist.Job {
	j := benchJob(n)
	j.Payload = bytes.Repeat([]byte("y"), 128<<10)
	return j
}

// fillUp puts jobs until one is refused, then removes all of them, and puts one
// again. It returns how many there was room for.
func fillUp(s *Store) (int, error) {
	n := uint64(0)
	for ; n < 100_000; n++ {
		if err := commit(s, put(chunky(n))); errors.Is(err, persist.ErrFull) {
			break
		} else if err != nil {
			return 0, fmt.Errorf("job %d: %w", n, err)
		}
	}
	for i := range n {
		if _, err := s.Payload(persist.JobID{Epoch: 1, Seq: i}); err != nil {
			return 0, fmt.Errorf("payload of job %d: %w", i, err)
		}
		if err := commit(s, remove(persist.JobID{Epoch: 1, Seq: i})); err != nil {
			return 0, fmt.Errorf("removal of job %d of %d: %w", i, n, err)
		}
	}
	if err := roomAgain(s, put(chunky(n)), remove(persist.JobID{Epoch: 1, Seq: n})); err != nil {
		return 0, fmt.Errorf("a job after all have gone: %w", err)
	}
	return int(n), nil
}

// roomAgain commits changes when there is room for them again. The store is to
// notice that within a second: it puts nothing off for longer than half of one,
// and what it does try, it keeps after a few transactions.
func roomAgain(s *Store, changes ...persist.Change) (err error) {
	for tries := 0; tries < 100; {
		pause := time.Until(s.writer.pause)
		switch err = commit(s, changes...); {
		case !errors.Is(err, persist.ErrFull):
			return err
		case pause > time.Second/2:
			return fmt.Errorf("nothing is tried for %v: %w", pause, err)
		case pause <= 0:
			tries++
		}
	}
	return err
}

// smallDisk mounts a file system of so many MiB.
func smallDisk(t *testing.T, size int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := unix.Mount("gearbolt", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", size)); err != nil {
		t.Skipf("no small disk to fill: mount: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestDiskFull fills a real, small disk: with room kept free, and to the brim.
func TestDiskFull(t *testing.T) {
	for name, c := range map[string]struct {
		size    int
		minFree int64
		least   int
	}{
		"soft": {size: 80, minFree: 0, least: 50},
		"hard": {size: 8, minFree: 1, least: 30},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, Options{Dir: smallDisk(t, c.size), MinFree: c.minFree})
			for range 5 {
				n, err := fillUp(s)
				if err != nil {
					t.Fatal(err)
				}
				if t.Logf("room for %d jobs", n); n < c.least {
					t.Errorf("there was room for %d jobs only", n)
				}
			}
		})
	}
}

// TestBrim has somebody else fill the disk: jobs are refused then, and those
// that there are can all be finished.
func TestBrim(t *testing.T) {
	s := open(t, Options{Dir: smallDisk(t, 128)})
	fill(t, s, 2000)
	other := s.path + ".other"
	if err := os.WriteFile(other, make([]byte, 256<<20), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	err := commit(s, put(chunky(5000)))
	refusals(t, err, persist.ErrFull)
	if !strings.Contains(err.Error(), "64.0 MiB are kept for finishing jobs (store-min-free)") {
		t.Errorf("got %v, which does not say what is kept free", err)
	}
	for n := uint64(1); n <= 1000; n++ {
		keep(t, s, remove(persist.JobID{Epoch: 1, Seq: n}))
	}
	removeRange(t, s, 1001, 2000)
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	if err := roomAgain(s, put(chunky(5000))); err != nil {
		t.Error(err)
	}
}

// TestStartBelowMinFree opens a store on a disk that has less free than is kept
// for finishing jobs: df shows space, so the log is to say why jobs are refused.
func TestStartBelowMinFree(t *testing.T) {
	dir := smallDisk(t, 60)
	s := open(t, Options{Dir: dir})
	if w := strings.Join(s.Warnings(), "\n"); !strings.Contains(w, "store-min-free") || !strings.Contains(w, "are refused") {
		t.Errorf("got warnings %q", w)
	}
	refusals(t, commit(s, put(chunky(1))), persist.ErrFull)
	s.Close()
	s = open(t, Options{Dir: dir, MinFree: 1})
	if w := s.Warnings(); len(w) != 0 {
		t.Errorf("with room: got warnings %q", w)
	}
	keep(t, s, put(chunky(1)))
}

func TestMaxSize(t *testing.T) {
	const most = 64 << 20
	for _, minFree := range []int64{0, 16 << 20, 1} {
		s := open(t, Options{Dir: t.TempDir(), MaxSize: most, MinFree: minFree, UnsafeNoFsync: true})
		for range 2 {
			n, err := fillUp(s)
			if err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(s.path)
			if err != nil || info.Size() > most || n < 150 {
				t.Errorf("with room for %d jobs, the file has %d bytes: %v", n, info.Size(), err)
			}
		}
	}
}

// victimLimit lives under a limit to the size of its files.
func victimLimit(s *Store) {
	signal.Ignore(unix.SIGXFSZ)
	const most = 20 << 20
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: most, Max: most}); err != nil {
		fmt.Println("setrlimit:", err)
		os.Exit(1)
	}
	n, err := fillUp(s)
	if err != nil || n < 50 {
		fmt.Printf("room for %d jobs: %v\n", n, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// TestFileSizeLimit fills a file up to what "ulimit -f" allows.
func TestFileSizeLimit(t *testing.T) {
	if out, err := victim("limit", t.TempDir()).Output(); err != nil {
		t.Errorf("%s%v", out, err)
	}
}
