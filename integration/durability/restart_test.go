package durability

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
	"gearbolt/persist"
	"gearbolt/persist/bolt"
	"gearbolt/protocol"
)

var queuedJobs = flag.Int("jobs", 100_000, "how many jobs wait for the server at its start")

// The jobs are put into a store without a server, as one has left them there.
func TestRestartWithALongQueue(t *testing.T) {
	dir, addr := t.TempDir(), harness.FreeAddr(t)
	harness.Binary(t) // is built now, and not within the first start
	fillStore(t, dir, *queuedJobs)
	var took []time.Duration
	for range 3 {
		began := time.Now()
		s := harness.GearboltAt(t, addr, dir)
		took = append(took, time.Since(began))
		checkQueue(t, addr, *queuedJobs)
		s.Kill()
	}
	slices.Sort(took)
	t.Logf("with %d queued jobs of 100 bytes the server answers %v after its start (best %v, worst %v)",
		*queuedJobs, took[1].Round(time.Millisecond), took[0].Round(time.Millisecond), took[2].Round(time.Millisecond))
}

// fillStore makes a store with n jobs.
func fillStore(t *testing.T, dir string, n int) {
	t.Helper()
	s, err := bolt.Open(bolt.Options{Dir: dir, UnsafeNoFsync: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Load(func(persist.Change) error { return nil }); err != nil {
		t.Fatal(err)
	}
	const batch = 10_000
	stored := make(chan error, 1)
	for at := 0; at < n; at += batch {
		changes := make([]persist.Change, min(batch, n-at))
		for i := range changes {
			changes[i] = persist.Change{Kind: persist.PutJob, Job: queuedJob(s.Epoch(), at+i)}
		}
		s.Commit(changes, func(err error) { stored <- err })
		if err := <-stored; err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func queuedJob(epoch uint64, n int) *persist.Job {
	return &persist.Job{
		ID:       persist.JobID{Epoch: epoch, Seq: uint64(n + 1)},
		Prefix:   "H:before",
		Function: "queued",
		Unique:   fmt.Sprint("unique ", n),
		Payload:  []byte(fmt.Sprintf("%-100d", n)),
		Priority: persist.Priority(n % persist.Priorities),
	}
}

// checkQueue looks whether all n jobs are there, and takes the first.
func checkQueue(t *testing.T, addr string, n int) {
	t.Helper()
	l, err := judge.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	status, err := l.List("status")
	if want := fmt.Sprintf("queued\t%d\t0\t0", n); err != nil || !slices.Contains(status, want) {
		t.Fatalf("status: %q, %v; want %q", status, err, want)
	}
	l.Send(protocol.CanDo, "queued")
	got, err := l.Ask(protocol.JobAssignUniq, protocol.GrabJobUniq)
	want := []string{"H:before:1-1", "queued", "unique 0", fmt.Sprintf("%-100d", 0)}
	if err != nil || strings.Join(got, "\x00") != strings.Join(want, "\x00") {
		t.Errorf("the first job is %q, %v; want %q", got, err, want)
	}
}
