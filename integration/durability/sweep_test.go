package durability

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gearbolt/integration/harness"
	"gearbolt/integration/harness/tracer"
	"gearbolt/integration/judge"
)

var every = flag.Int("every", 1, "the server is killed at every so many of its system calls that write; 1: at all")

// writing are the system calls by which a server changes what is on a disk or
// tells anybody anything.
var writing = []uint64{
	unix.SYS_PWRITE64, unix.SYS_FDATASYNC, unix.SYS_FSYNC, unix.SYS_FTRUNCATE, unix.SYS_FALLOCATE,
	unix.SYS_WRITE, unix.SYS_WRITEV, unix.SYS_SENDTO, unix.SYS_SENDMSG, unix.SYS_RENAMEAT, unix.SYS_UNLINKAT, unix.SYS_MKDIRAT, unix.SYS_OPENAT,
}

// The server is killed at every write, sync and word of its first start and of
// a script of 50 jobs. The store is then read, and served again.
func TestKilledAtEveryCall(t *testing.T) {
	sweep(t, func(t *testing.T, nth int) (calls int) {
		dir, b := t.TempDir(), judge.New()
		defer os.RemoveAll(dir) // hundreds of them would take gigabytes
		tr, addr := traced(t, b, harness.Binary(t), dir, nth)
		play(b, addr)
		calls = died(t, b, tr)
		if n := b.Totals().Acknowledged; nth == 0 && n < scripted {
			t.Errorf("%d of %d jobs were acknowledged by a server that nobody killed", n, scripted)
		}
		recovers(t, b, dir)
		return calls
	})
}

// And at every write, sync and word of a start on a store with jobs.
func TestKilledWhileItStarts(t *testing.T) {
	full, b := t.TempDir(), judge.New()
	tr, addr := traced(t, b, harness.Binary(t), full, 0)
	play(b, addr)
	died(t, b, tr)
	now := b.Now()
	sweep(t, func(t *testing.T, nth int) (calls int) {
		dir, b := t.TempDir(), b.Until(now)
		defer os.RemoveAll(dir)
		if err := os.CopyFS(dir, os.DirFS(full)); err != nil {
			t.Fatal(err)
		}
		tr, _ := traced(t, b, harness.Binary(t), dir, nth)
		calls = died(t, b, tr)
		recovers(t, b, dir)
		return calls
	})
}

// sweep counts the calls of an attempt that is not cut short, and then makes
// some more of them: one for every so many calls, as far as they go.
func sweep(t *testing.T, attempt func(t *testing.T, nth int) (calls int)) {
	harness.Binary(t)
	all, tried := attempt(t, 0), 0
	for nth := 1 + int(*seed)%*every; nth <= all && !t.Failed(); nth += *every {
		if attempt(t, nth); t.Failed() {
			t.Logf("killed at call %d of %d", nth, all)
		}
		tried++
	}
	if tried == 0 {
		t.Error("the server was never killed")
	}
	t.Logf("%d calls in all; killed at %d of them", all, tried)
}

// traced starts a server on dir/data that is killed at the nth call, and returns when it
// answers, or is dead.
func traced(t *testing.T, b *judge.Book, bin, dir string, nth int) (*tracer.Trace, string) {
	t.Helper()
	tracer.Need(t)
	addr := harness.FreeAddr(t)
	b.Started()
	cmd := exec.Command(bin, "--listen", addr, "--data-dir", filepath.Join(dir, "data"))
	tr, err := tracer.Start(cmd, nth, writing...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Kill)
	for deadline := time.Now().Add(judge.Patience); time.Now().Before(deadline); {
		if l, err := judge.Dial(addr); err == nil {
			l.Admin("version")
			l.Close()
			return tr, addr
		}
		select {
		case <-tr.Done():
			return tr, addr
		case <-time.After(time.Millisecond): // asks again
		}
	}
	t.Fatal("the server does not answer")
	return nil, ""
}

// died kills what has not been killed, and returns how many calls there were.
func died(t *testing.T, b *judge.Book, tr *tracer.Trace) int {
	t.Helper()
	tr.Kill()
	b.Died()
	calls, _, err := tr.Result()
	if err != nil {
		t.Fatal(err)
	}
	return calls
}

// recovers holds the book against the store and against a server on it.
func recovers(t *testing.T, b *judge.Book, dir string) {
	t.Helper()
	data := filepath.Join(dir, "data")
	judge.Report(t, b.Judge(&judge.After{Store: judge.ReadStore(data)}))
	addr := harness.FreeAddr(t)
	s := harness.GearboltAt(t, addr, data)
	b.Started()
	look(t, b, addr)
	s.Kill()
}
