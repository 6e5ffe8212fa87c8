package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"gearbolt/persist"
)

// restore puts a backup into a new directory, as an operator would.
func restore(t testing.TB, backup string) (dir string) {
	t.Helper()
	file, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	return place(t, file)
}

// TestBackupUnderLoad takes backups while jobs come and go. Each is clean and
// has every job that was acknowledged before it began and that nobody removed.
func TestBackupUnderLoad(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir, MinFree: 1})
	var acked atomic.Uint64 // all up to here, of those that stay
	stop := make(chan struct{})
	var load sync.WaitGroup
	load.Go(func() {
		for n := uint64(1); ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			stays, goes := benchJob(2*n), benchJob(2*n+1)
			if commit(s, put(stays), put(goes)) != nil || commit(s, remove(goes.ID)) != nil {
				t.Error("the store refuses")
				return
			}
			acked.Store(n)
		}
	})
	for round := range 5 {
		for acked.Load() < uint64(20*round) {
			// the load goes on by itself
		}
		before := acked.Load()
		path, size, err := s.Backup(fmt.Sprint("b", round), nil)
		if err != nil {
			t.Fatal(err)
		}
		if report, err := Check(path, nil); err != nil || !report.Clean() || !report.Copy || report.Size != size {
			t.Fatalf("%+v, %v", report, err)
		}
		ids := keptIDs(t, restore(t, path))
		for n := uint64(1); n <= before; n++ {
			if !ids[benchJob(2*n).ID.String()] {
				t.Fatalf("job %d was acknowledged before the backup and is not in it", 2*n)
			}
		}
	}
	close(stop)
	load.Wait()
}

// TestBackupEpochs restores a backup twice, while the original goes on: no two
// of all their starts have the same epoch.
func TestBackupEpochs(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	keep(t, s, put(benchJob(1)))
	path, _, err := s.Backup("b", nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[uint64]string{s.Epoch(): "the original"}
	s.Close()
	start := func(dir, who string) {
		s := open(t, Options{Dir: dir})
		if other := seen[s.Epoch()]; other != "" {
			t.Errorf("%s has epoch %d, as %s had", who, s.Epoch(), other)
		}
		seen[s.Epoch()] = who
		keep(t, s, put(&persist.Job{ID: persist.JobID{Epoch: s.Epoch(), Seq: 1}, Function: "f"}))
		s.Close()
	}
	first := restore(t, path)
	start(first, "the first copy")
	for range 5 {
		start(dir, "the original")
		start(first, "the first copy")
	}
	if _, err := Compact(first, nil); err != nil {
		t.Fatal(err)
	}
	start(restore(t, path), "the second copy")
	start(first, "the first copy, compacted")
	stopped, _, err := BackupStopped(first, "again", nil)
	if err != nil {
		t.Fatal(err)
	}
	start(first, "the first copy")
	start(restore(t, stopped), "a copy of the first copy")
	salvaged := filepath.Join(t.TempDir(), "salvaged")
	if _, err := Salvage(dir, salvaged, SalvageOptions{}); err != nil {
		t.Fatal(err)
	}
	start(dir, "the original")
	start(salvaged, "what was salvaged")
}

func TestBackupRefuses(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	for _, name := range []string{"", ".", "..", "../x", "/x", "a/b", ".hidden", "x.new", "a b", "a\x00b", "ü", strings.Repeat("x", 101)} {
		if path, _, err := s.Backup(name, nil); err == nil || !strings.Contains(err.Error(), "no name for a backup") {
			t.Errorf("backup %q: %s, %v", name, path, err)
		}
	}
	if _, _, err := s.Backup("b", nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Backup("b", nil); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("the second of one name: %v", err)
	}
	stop := make(chan struct{})
	close(stop)
	if _, _, err := s.Backup("c", stop); !errors.Is(err, errStopped) {
		t.Errorf("one that is broken off: %v", err)
	}
	if names, err := os.ReadDir(filepath.Join(dir, backupsName)); err != nil || len(names) != 1 {
		t.Errorf("in the directory are %v, %v", names, err)
	}
	if _, _, err := BackupStopped(dir, "d", nil); !errors.Is(err, ErrInUse) {
		t.Errorf("with the server running: %v", err)
	}
}

// TestCompactCrash ends a compaction after each of its steps: each time there is
// a good store with all that was in it, and the next attempt succeeds.
func TestCompactCrash(t *testing.T) {
	tr := lived(t)
	crash := errors.New("crash")
	for _, step := range []string{stepFilled, stepChecked, stepRenamed, ""} {
		dir := place(t, tr.file)
		_, err := compact(dir, nil, func(s string) error {
			if s == step {
				return crash
			}
			return nil
		})
		if (step != "") != errors.Is(err, crash) {
			t.Fatalf("at %q: %v", step, err)
		}
		if step == stepFilled { // what a process that was killed there leaves
			if err := os.WriteFile(filepath.Join(dir, fileName+".compact"), tr.file[:10_000], 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := contents(dir); err != nil || !equal(got, tr.live) {
			t.Fatalf("after %q the store has %d things, not %d: %v", step, len(got), len(tr.live), err)
		}
		report, err := Compact(dir, nil)
		if err != nil || report.After > report.Before {
			t.Fatalf("after %q: %+v, %v", step, report, err)
		}
		if got, err := contents(dir); err != nil || !equal(got, tr.live) {
			t.Fatalf("compacted after %q, the store has %d things, not %d: %v", step, len(got), len(tr.live), err)
		}
		if names, _ := filepath.Glob(filepath.Join(dir, "*.compact")); len(names) > 0 {
			t.Errorf("after %q, left are %v", step, names)
		}
	}
}

func TestCompactRefuses(t *testing.T) {
	damaged := written(t)
	damaged[bytes.Index(damaged, []byte("xxxx"))] ^= 1
	dir := place(t, damaged)
	if _, err := Compact(dir, nil); err == nil || !strings.Contains(err.Error(), "gearbolt store salvage") {
		t.Errorf("a damaged store: %v", err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, fileName)); err != nil || !bytes.Equal(after, damaged) {
		t.Errorf("it has changed: %v", err)
	}
	running := t.TempDir()
	open(t, Options{Dir: running})
	for _, dir := range []string{running, t.TempDir()} {
		if _, err := Compact(dir, nil); err == nil {
			t.Errorf("compact %s succeeded", dir)
		}
	}
}

// TestCompactFollowsLink compacts a store whose file is a link to one elsewhere.
func TestCompactFollowsLink(t *testing.T) {
	tr := lived(t)
	real := filepath.Join(place(t, tr.file), fileName)
	dir := t.TempDir()
	link := filepath.Join(dir, fileName)
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	if _, err := Compact(dir, nil); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(link); err != nil || to != real {
		t.Errorf("the link leads to %q: %v", to, err)
	}
	if got, err := contents(dir); err != nil || !equal(got, tr.live) {
		t.Errorf("the store has %d things, not %d: %v", len(got), len(tr.live), err)
	}
}

// rewrites are the works that make a file of that in dir.
var rewrites = map[string]func(dir string, p Progress) error{
	"compact": func(dir string, p Progress) error { _, err := Compact(dir, p); return err },
	"backup":  func(dir string, p Progress) error { _, _, err := BackupStopped(dir, "b", p); return err },
	"salvage": func(dir string, p Progress) error {
		_, err := Salvage(dir, filepath.Join(dir, "out"), SalvageOptions{Progress: p})
		return err
	},
}

// TestInterrupted breaks each of these off at several points: nothing is left of
// it, and the store is as it was.
func TestInterrupted(t *testing.T) {
	file := written(t)
	enough := errors.New("enough")
	for name, rewrite := range rewrites {
		all := 0
		if err := rewrite(place(t, file), func(int64, int64, int64) error { all++; return nil }); err != nil {
			t.Fatal(err)
		}
		dir := place(t, file)
		for _, allowed := range []int{0, all / 4, all / 2, 3 * all / 4, all - 1} {
			reports := 0
			err := rewrite(dir, func(int64, int64, int64) error {
				if reports++; reports > allowed {
					return enough
				}
				return nil
			})
			if !errors.Is(err, enough) {
				t.Errorf("%s after %d of %d reports: %v", name, allowed, all, err)
			}
			for _, pattern := range []string{"*.compact", backupsName + "/*", "*.new", "out"} {
				if left, _ := filepath.Glob(filepath.Join(dir, pattern)); len(left) > 0 {
					t.Errorf("%s after %d of %d reports left %v", name, allowed, all, left)
				}
			}
		}
		if after, err := os.ReadFile(filepath.Join(dir, fileName)); err != nil || !bytes.Equal(after, file) {
			t.Errorf("%s has changed the store: %v", name, err)
		}
	}
}

// TestProgress watches a check, and breaks it off.
func TestProgress(t *testing.T) {
	dir := place(t, written(t))
	last, enough := int64(0), errors.New("enough")
	_, err := Check(dir, func(done, all, records int64) error {
		if done <= last || done > all {
			t.Errorf("%d of %d bytes after %d", done, all, last)
		}
		if last = done; records > 100 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Errorf("the error is %v", err)
	}
}
