package power

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"gearbolt/integration/device"
	"gearbolt/integration/harness/tracer"
	"gearbolt/integration/judge"
)

// A failing call is a system call on the store's file that fails once, without
// having done anything.
type failingCall struct {
	name  string
	error string
	after int64 // calls of a thread that do not fail: a start makes some
	load  load
}

// tracer has the k-th call of a thread fail: strace counts by threads, and Go
// uses several. That it has happened is in the file log.
func (c failingCall) tracer(k int64, log string) func(disk string) []string {
	return func(disk string) []string {
		return []string{"strace", "-D", "-f", "-qq", "-o", log, "-P", storeFile(disk), "-e", "trace=" + c.name,
			"-e", fmt.Sprintf("inject=%s:error=%s:when=%d", c.name, c.error, c.after+k)}
	}
}

// TestErrorOfCall has system calls fail that the disk of [TestError] cannot
// have fail by itself, and a sync fail for lack of room, as on disks that
// promise more than they have: even then nobody knows what is on the disk.
func TestErrorOfCall(t *testing.T) {
	device.Need(t, "mkfs.ext4", "strace")
	tracer.Need(t)
	for _, c := range []failingCall{
		{"ftruncate", "EIO", 0, growing},
		{"pwrite64", "EIO", 8, mixed},
		{"fdatasync", "EIO", 6, mixed},
		{"fdatasync", "ENOSPC", 6, mixed},
	} {
		t.Run(c.name+" "+c.error, func(t *testing.T) {
			var sum tally
			for k := range int64(max(1, *places/3)) {
				sum.add(c.failAt(t, 1+k))
			}
			sum.report(t)
			if sum.ended == 0 {
				t.Error("no server has ended of a failure")
			}
		})
	}
}

// failAt has the k-th call under load fail.
func (c failingCall) failAt(t *testing.T, k int64) (sum tally) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "calls")
	s := newScene(t, format(t, device.Ext4, 128<<20), judge.New())
	makeStore(t, s)
	p := ours(t)
	p.tracer = c.tracer(k, log)
	s.book.Started()
	server, err := p.start(s.recorder.Dir)
	if err == nil {
		t.Cleanup(server.Kill)
		at := c.load.begin(server.addr, s.book, *seed+uint64(k))
		at.submitting.Wait()
		if injected(t, log) {
			sum.watchCall(server)
		}
		server.Kill()
		at.working.Wait()
	}
	s.book.Died()
	if !injected(t, log) {
		return sum
	}
	sum.failed++
	sum.refusals(s.book)
	down := s.recorder.Len()
	sum.startAgain(ours(t), s)
	rec := s.stop(t)
	sum.cut(s, ours(t), rec, down, rand.New(rand.NewPCG(*seed, uint64(k))))
	return sum
}

// makeStore has a server make its store.
func makeStore(t *testing.T, s *scene) {
	t.Helper()
	server, err := ours(t).start(s.recorder.Dir)
	if err != nil {
		t.Fatal(err)
	}
	server.Kill()
}

func injected(t *testing.T, log string) bool {
	t.Helper()
	b, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(b, []byte("(INJECTED)"))
}

// watchCall waits for the end of a server of which a call has failed.
func (a *tally) watchCall(s *server) {
	err := s.Wait(startLimit)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitStore {
		a.wrong("the server whose call failed ended with %v, and not with exit code %d", err, exitStore)
		return
	}
	a.ended++
}
