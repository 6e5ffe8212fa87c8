package persisttest

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	"gearbolt/persist"
)

// patience is how long a store may take over anything that is asked of it.
const patience = 10 * time.Second

// A fixture is a store under test, with the directory that it is in.
type fixture struct {
	persist.Store
	t    testing.TB
	dir  string
	open Open
}

// start opens a new store, and loads it as its user is to do.
func start(t testing.TB, open Open) *fixture {
	f := &fixture{t: t, dir: t.TempDir(), open: open}
	f.Store = open(t, f.dir)
	t.Cleanup(func() { f.Close() })
	if kept := f.load(); len(kept) != 0 {
		t.Fatalf("a new store has %d changes in it", len(kept))
	}
	return f
}

// restart closes the store and opens it again. What it had kept is returned.
func (f *fixture) restart() (*fixture, []persist.Change) {
	f.t.Helper()
	if err := f.Close(); err != nil {
		f.t.Fatalf("Close: %v", err)
	}
	return f.reopen(f.dir)
}

// crash opens the store from a copy of its files, which is what is left when
// the process ends without Close.
func (f *fixture) crash() (*fixture, []persist.Change) {
	f.t.Helper()
	dir := f.t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(f.dir)); err != nil {
		f.t.Fatal(err)
	}
	return f.reopen(dir)
}

func (f *fixture) reopen(dir string) (*fixture, []persist.Change) {
	f.t.Helper()
	g := &fixture{t: f.t, dir: dir, open: f.open}
	g.Store = f.open(f.t, dir)
	f.t.Cleanup(func() { g.Close() })
	return g, g.load()
}

// bothWays calls check with what is kept after a crash, and then after Close.
func (f *fixture) bothWays(check func(t testing.TB, kept []persist.Change)) {
	f.t.Helper()
	_, kept := f.crash()
	check(f.t, kept)
	_, kept = f.restart()
	check(f.t, kept)
}

func (f *fixture) load() []persist.Change {
	f.t.Helper()
	var kept []persist.Change
	err := f.Load(func(c persist.Change) error {
		kept = append(kept, c)
		return nil
	})
	if err != nil {
		f.t.Fatalf("Load: %v", err)
	}
	return kept
}

// commit waits for the answer to changes.
func (f *fixture) commit(changes ...persist.Change) error {
	f.t.Helper()
	answer := make(chan error, 1)
	f.Commit(changes, func(err error) { answer <- err })
	return wait(f.t, answer)
}

// keep commits changes that are not to be refused.
func (f *fixture) keep(changes ...persist.Change) {
	f.t.Helper()
	if err := f.commit(changes...); err != nil {
		f.t.Fatalf("Commit of %d changes: %v", len(changes), err)
	}
}

func wait[T any](t testing.TB, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("no answer within %v", patience)
	}
	return v
}

func (f *fixture) wantPayload(id persist.JobID, want []byte) {
	f.t.Helper()
	got, err := f.Payload(id)
	if err != nil {
		f.t.Fatalf("Payload(%v): %v", id, err)
	}
	if !bytes.Equal(got, want) {
		f.t.Fatalf("Payload(%v): %s, want %s", id, brief(got), brief(want))
	}
}

// job returns the nth job of a first start, with something in every field.
func job(n uint64) *persist.Job {
	return &persist.Job{
		ID:         persist.JobID{Epoch: 1, Seq: n},
		Prefix:     "H:host",
		Function:   fmt.Sprintf("function%d", n%7),
		Unique:     fmt.Sprintf("unique%d", n),
		Reducer:    "reducer",
		HasReducer: true,
		Payload:    fmt.Appendf(nil, "payload %d", n),
		Priority:   persist.Priority(n % persist.Priorities),
		Attempts:   uint32(n % 5),
		Due:        time.UnixMilli(1_700_000_000_000 + int64(n)).UTC(),
	}
}

func put(j *persist.Job) persist.Change { return persist.Change{Kind: persist.PutJob, Job: j} }

func remove(j *persist.Job) persist.Change {
	return persist.Change{Kind: persist.DeleteJob, ID: j.ID}
}

func attempt(j *persist.Job, n uint32) persist.Change {
	return persist.Change{Kind: persist.SetAttempt, ID: j.ID, Attempts: n}
}

func limit(function string, high, normal, low uint32) persist.Change {
	l := &persist.Limit{Function: function, Max: [persist.Priorities]uint32{high, normal, low}}
	return persist.Change{Kind: persist.SetLimit, Limit: l}
}

func limitBytes(function string, high, normal, low uint32, bytes int64) persist.Change {
	c := limit(function, high, normal, low)
	c.Limit.Bytes = bytes
	return c
}
