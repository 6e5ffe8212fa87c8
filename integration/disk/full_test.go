package disk

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

var (
	cycles = flag.Int("cycles", 3, "how often a disk is filled and freed")
	hold   = flag.Duration("hold", time.Second/4, "how long it stays full each time")
)

const (
	held     = 10               // jobs that workers have in their hands when the disk becomes full
	recovery = time.Second      // within which a job is taken when there is room again
	patience = 20 * time.Second // for what has no limit
)

// Functions of jobs. Those of call are foreground jobs.
const (
	filling = "filling"
	working = "working"
	calling = "calling"
)

// TestFull fills disks and frees them: the server refuses jobs, and says why;
// goes on with everything else; and recovers by itself.
func TestFull(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T) *place
		size int  // of a payload
		brim bool // nothing is kept free
	}{
		{"ext4", func(t *testing.T) *place { return ext4Place(t, 160<<20) }, 64 << 10, false},
		{"ext4 to the brim", func(t *testing.T) *place { return ext4Place(t, 64<<20) }, 64 << 10, true},
		{"ext4 to the brim with small jobs", func(t *testing.T) *place { return ext4Place(t, 24<<20) }, 3000, true},
		{"tmpfs", func(t *testing.T) *place { return tmpfsPlace(t, 160<<20) }, 64 << 10, false},
		{"tmpfs to the brim", func(t *testing.T) *place { return tmpfsPlace(t, 40<<20) }, 64 << 10, true},
		{"file size", limitedPlace, 64 << 10, false},
		{"quota", quotaPlace, 64 << 10, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := c.make(t)
			f := &full{place: p, book: judge.New(), size: c.size, brim: c.brim}
			if c.brim {
				f.args = []string{"--store-min-free=1"}
			}
			f.book.Started()
			f.server = harness.GearboltAt(t, harness.FreeAddr(t), p.dir, f.args...)
			for range *cycles {
				f.cycle(t)
			}
			f.server.Kill()
			f.book.Died()
			f.book.Started()
			judge.Report(t, f.book.Judge(&judge.After{Store: judge.ReadStore(p.dir)}))
			t.Logf("%d times full: %d jobs acknowledged, %d refused, each within %v; %d calls meanwhile; with room again, a job is taken within %v",
				*cycles, f.book.Totals().Acknowledged, f.refused, f.worst.Round(time.Millisecond), f.calls, f.slowest.Round(time.Millisecond))
		})
	}
}

// full is a server whose disk is filled.
type full struct {
	*place
	server *harness.Server
	book   *judge.Book
	size   int
	brim   bool
	args   []string
	copies string // where copies of the store go

	tokens  int
	refused int
	calls   int
	worst   time.Duration // a refusal took
	slowest time.Duration // recovery
}

func (f *full) judge(t *testing.T) {
	t.Helper()
	s, err := f.book.Look(f.server.Addr)
	if err != nil {
		t.Fatalf("%v\n%s", err, f.server.Output())
	}
	judge.Report(t, f.book.Judge(&judge.After{Server: s}))
}

func (f *full) job(kind protocol.Type, function string) *judge.Job {
	f.tokens++
	token := fmt.Sprintf("%s-%d", function, f.tokens)
	return &judge.Job{Token: token, Type: kind, Function: function, Payload: token + "|" + strings.Repeat("x", f.size)}
}

// submit submits background jobs, all at once, and returns how many were taken.
func (f *full) submit(t *testing.T, c *judge.Client, function string, n int) (taken int) {
	t.Helper()
	c.Conn.SetDeadline(time.Now().Add(patience))
	asked := time.Now()
	for range n {
		c.Submit(f.job(protocol.SubmitJobBG, function))
	}
	for range n {
		_, err := c.Answer()
		switch {
		case err == nil:
			taken++
			continue
		case !errors.Is(err, judge.ErrRefused):
			t.Fatalf("a job was answered with %v\n%s", err, tail(f.server.Output()))
		case !strings.Contains(err.Error(), "no space left"):
			t.Fatalf("a job was refused, and the reason is not that the disk is full: %v", err)
		}
		f.refused++
		f.worst = max(f.worst, time.Since(asked))
	}
	return taken
}

// cycle fills the disk, keeps it so, and frees it.
func (f *full) cycle(t *testing.T) {
	t.Helper()
	c, err := f.book.Client(f.server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	w, hands := f.take(t, c)
	defer w.Close()
	free := f.fill(t, f.server)
	f.submitUntilRefused(t, c)
	for _, handle := range hands {
		w.End(handle, protocol.WorkComplete, "")
	}
	f.heard(t, w)
	if !f.shut {
		f.awaitStored(t, hands)
	}
	f.stayFull(t, c)
	if f.onDisk {
		c.Close()
		c = f.restart(t)
		defer c.Close()
		f.stayFull(t, c)
	}
	free()
	if f.brim {
		f.drain(t) // what is left of the disk may be no room for one job
	}
	f.recover(t, c)
	f.drain(t)
	f.judge(t)
}

// restart kills the server and starts it again on the full disk.
func (f *full) restart(t *testing.T) *judge.Client {
	t.Helper()
	f.server.Kill()
	f.book.Died()
	f.server = harness.GearboltAt(t, f.server.Addr, f.dir, f.args...)
	f.book.Started()
	c, err := f.book.Client(f.server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// take has a worker take jobs.
func (f *full) take(t *testing.T, c *judge.Client) (w *judge.Worker, hands []string) {
	t.Helper()
	w, err := f.book.Worker(f.server.Addr, working)
	if err != nil {
		t.Fatal(err)
	}
	for range held {
		if f.submit(t, c, working, 1) == 0 {
			t.Fatal("a job was refused before the disk was full")
		}
		a, err := w.Grab()
		if err != nil || a == nil {
			t.Fatalf("the worker got %v, %v", a, err)
		}
		hands = append(hands, a.Handle)
	}
	return w, hands
}

func (f *full) submitUntilRefused(t *testing.T, c *judge.Client) {
	t.Helper()
	n := min(64, 1+(4<<20)/f.size)
	for range 10_000 {
		if f.submit(t, c, filling, n) == 0 {
			return
		}
	}
	t.Fatal("the disk does not become full")
}

// heard has the worker hear that what it said was read.
func (f *full) heard(t *testing.T, w *judge.Worker) {
	t.Helper()
	if a, err := w.Grab(); a != nil || err != nil {
		t.Fatalf("the worker got %v, %v", a, err)
	}
}

// awaitStored waits until the jobs that were ended are gone from the disk, full
// as it is. It reads copies of the file, which nobody writes to otherwise.
func (f *full) awaitStored(t *testing.T, handles []string) {
	t.Helper()
	ended := make(map[string]bool)
	for _, h := range handles {
		ended[h] = true
	}
	for deadline := time.Now().Add(patience); ; {
		s := judge.ReadStore(f.copy(t))
		left := 0
		for i := range s.Jobs {
			if ended[judge.HandleOf(&s.Jobs[i])] {
				left++
			}
		}
		if s.Err == nil && left == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("on the full disk, %d jobs that were ended are still stored: %v\n%s", left, s.Err, tail(f.server.Output()))
		}
	}
}

// copy copies the store into memory, in the place of the last copy.
func (f *full) copy(t *testing.T) (dir string) {
	t.Helper()
	if f.copies == "" {
		f.copies = memory(t)
	}
	dir = f.copies
	from, err := os.Open(f.storeFile())
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.Create(filepath.Join(dir, filepath.Base(f.storeFile())))
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	return dir
}

func tail(s string) string { return s[max(0, len(s)-2000):] }

// stayFull has jobs refused for a while, and calls answered.
func (f *full) stayFull(t *testing.T, c *judge.Client) {
	t.Helper()
	w, err := f.book.Worker(f.server.Addr, calling)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	for end := time.Now().Add(*hold); time.Now().Before(end); <-pace.C {
		f.calls++
		if err := oneCall(c, w, fmt.Sprintf("call-%d-%d", c.Number, f.calls)); err != nil {
			t.Fatal(err)
		}
		// What was ended may have left room for some.
		for f.submit(t, c, filling, 1) > 0 {
			if f.shut {
				t.Fatal("a job was taken that cannot be stored")
			}
		}
	}
}

// recover waits until a job is taken again.
func (f *full) recover(t *testing.T, c *judge.Client) {
	t.Helper()
	for freed := time.Now(); f.submit(t, c, filling, 1) == 0; {
		if f.slowest = max(f.slowest, time.Since(freed)); f.slowest > recovery {
			t.Fatalf("%v after there is room again, jobs are still refused\n%s", f.slowest, tail(f.server.Output()))
		}
	}
}

// drain has workers do all that is left.
func (f *full) drain(t *testing.T) {
	t.Helper()
	w, err := f.book.Worker(f.server.Addr, filling, working)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Drain(); err != nil {
		t.Fatal(err)
	}
}
