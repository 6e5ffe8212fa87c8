package bolt

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"gearbolt/persist"
)

// swapDevice lets device take the place of the file that bbolt writes to, and
// returns the function that undoes it. What bbolt reads, it reads through its
// mapping of the file, which stays.
func swapDevice(t *testing.T, s *Store, device string) (undo func()) {
	t.Helper()
	fd := int(s.file.Fd())
	saved, err := unix.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	d, err := os.OpenFile(device, os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	defer d.Close()
	if err := unix.Dup3(int(d.Fd()), fd, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	return func() {
		unix.Dup3(saved, fd, unix.O_CLOEXEC)
		unix.Close(saved)
	}
}

// roomy returns a store with jobs 1 to 1,000, and with pages left free by
// others, so that its file need not grow for a while.
func roomy(t *testing.T) *Store {
	t.Helper()
	s := open(t, Options{Dir: t.TempDir()})
	fill(t, s, 3000)
	removeRange(t, s, 1001, 3000)
	keep(t, s, remove(persist.JobID{Epoch: 1, Seq: 1}), put(benchJob(1)))
	return s
}

func removeRange(t *testing.T, s *Store, from, to uint64) {
	t.Helper()
	var changes []persist.Change
	for n := from; n <= to; n++ {
		changes = append(changes, remove(persist.JobID{Epoch: 1, Seq: n}))
	}
	keep(t, s, changes...)
}

// refusals returns which changes of a Commit were refused, all with want.
func refusals(t *testing.T, err, want error) (index []int) {
	t.Helper()
	var refused *persist.RefusedError
	if !errors.As(err, &refused) {
		t.Fatalf("the answer is %v, want a RefusedError", err)
	}
	for _, r := range refused.Refused {
		if !errors.Is(r.Err, want) {
			t.Errorf("change %d was refused with %v, want %v", r.Index, r.Err, want)
		}
		index = append(index, r.Index)
	}
	return index
}

// wantFatal checks that err is the end of the store.
func wantFatal(t *testing.T, s *Store, err error) {
	t.Helper()
	var refused *persist.RefusedError
	if err == nil || errors.As(err, &refused) {
		t.Fatalf("the answer is %v, want a fatal error", err)
	}
	s.commit = func(*bbolt.Tx) error {
		t.Error("another transaction was tried")
		return nil
	}
	if again := commit(s, remove(persist.JobID{Epoch: 1, Seq: 2})); again != err {
		t.Errorf("a later answer is %v, want %v", again, err)
	}
	if _, again := s.Payload(persist.JobID{Epoch: 1, Seq: 3}); again != err {
		t.Errorf("a later Payload says %v, want %v", again, err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// TestSyncFails lets the file be a device that takes writes and cannot sync.
func TestSyncFails(t *testing.T) {
	s := roomy(t)
	undo := swapDevice(t, s, os.DevNull)
	err := commit(s, remove(persist.JobID{Epoch: 1, Seq: 1}))
	undo()
	if !errors.Is(err, unix.EINVAL) {
		t.Errorf("the answer is %v, want the error of the sync", err)
	}
	wantFatal(t, s, err)
	if kept, err := load(s.options.Dir); len(kept) != 1000 || err != nil {
		t.Errorf("%d jobs are kept: %v", len(kept), err)
	}
}

// TestWriteFails lets the file be a device that is full, and then again itself.
func TestWriteFails(t *testing.T) {
	s := roomy(t)
	undo := swapDevice(t, s, "/dev/full")
	err := commit(s, put(benchJob(5000)), remove(persist.JobID{Epoch: 1, Seq: 1}))
	if got := refusals(t, err, persist.ErrFull); len(got) != 2 {
		t.Errorf("refused were %v, want both", got)
	}
	if _, err := s.Payload(persist.JobID{Epoch: 1, Seq: 1}); err != nil {
		t.Errorf("the payload of a job whose removal was refused: %v", err)
	}
	undo()
	keep(t, s, remove(persist.JobID{Epoch: 1, Seq: 1}))
	if err := roomAgain(s, put(benchJob(5000))); err != nil {
		t.Error(err)
	}
	s.Close()
	if kept, err := load(s.options.Dir); len(kept) != 1000 || err != nil {
		t.Errorf("%d jobs are kept: %v", len(kept), err)
	}
}

// TestFailedButVisible reports that a commit failed which readers see: whether
// that is for lack of room makes no difference then.
func TestFailedButVisible(t *testing.T) {
	for _, why := range []error{unix.EIO, unix.ENOSPC} {
		s := roomy(t)
		s.commit = func(tx *bbolt.Tx) error {
			return errors.Join(tx.Commit(), &fs.PathError{Op: "write", Path: s.path, Err: why})
		}
		err := commit(s, put(benchJob(5000)))
		if !errors.Is(err, why) {
			t.Errorf("the answer is %v, want %v", err, why)
		}
		wantFatal(t, s, err)
	}
}

// TestCommitPanics lets bbolt find something impossible in a commit, with its
// locks held.
func TestCommitPanics(t *testing.T) {
	s := roomy(t)
	s.commit = func(*bbolt.Tx) error { panic("impossible page") }
	err := commit(s, put(benchJob(5000)))
	wantFatal(t, s, err)
	if kept, err := load(s.options.Dir); len(kept) != 1000 || err != nil {
		t.Errorf("%d jobs are kept: %v", len(kept), err)
	}
}

func jobsIn(tx *bbolt.Tx) (n int) {
	eachJob(tx.Bucket(bucketJobs), func(_, _ []byte) error { n++; return nil })
	return n
}

// crowded is a disk where a transaction finds no room if it puts a job, or
// changes more than most jobs.
func crowded(s *Store, most int) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		before, changed := 0, 0
		s.db.View(func(tx *bbolt.Tx) error { before = jobsIn(tx); return nil })
		if changed = before - jobsIn(tx); changed < 0 || changed > most {
			return errors.Join(tx.Rollback(), &fs.PathError{Op: "write", Path: s.path, Err: unix.ENOSPC})
		}
		return tx.Commit()
	}
}

// TestSplit checks that on a crowded disk jobs are refused and removals are
// not, as long as one at a time goes in.
func TestSplit(t *testing.T) {
	s := roomy(t)
	changes := []persist.Change{put(benchJob(5000)), put(benchJob(5001))}
	for n := uint64(1); n <= 20; n++ {
		changes = append(changes, remove(persist.JobID{Epoch: 1, Seq: n}))
	}
	s.commit = crowded(s, 3)
	if got := refusals(t, commit(s, changes...), persist.ErrFull); len(got) != 2 || got[0] != 0 || got[1] != 1 {
		t.Errorf("refused were %v, want the two jobs", got)
	}
	s.commit = crowded(s, 0)
	s.writer.pause = time.Time{}
	if got := refusals(t, commit(s, remove(persist.JobID{Epoch: 1, Seq: 21}), remove(persist.JobID{Epoch: 1, Seq: 22})), persist.ErrFull); len(got) != 2 {
		t.Errorf("refused were %v, want both", got)
	}
	s.commit = (*bbolt.Tx).Commit
	s.Close()
	if kept, err := load(s.options.Dir); len(kept) != 980 || err != nil {
		t.Errorf("%d jobs are kept: %v", len(kept), err)
	}
}

func TestTooLarge(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir(), MaxRecord: 10_000})
	large := benchJob(2)
	large.Payload = make([]byte, 10_000)
	err := commit(s, put(benchJob(1)), put(large), put(benchJob(3)))
	if got := refusals(t, err, persist.ErrTooLarge); len(got) != 1 || got[0] != 1 {
		t.Errorf("refused were %v, want the large one", got)
	}
	longest := persist.Limit{Function: string(make([]byte, bbolt.MaxKeySize)), Max: [3]uint32{1}}
	refusals(t, commit(s, persist.Change{Kind: persist.SetLimit, Limit: &longest}), persist.ErrTooLarge)
	s.Close()
	if kept, err := load(s.options.Dir); len(kept) != 2 || err != nil {
		t.Errorf("%d jobs are kept: %v", len(kept), err)
	}
}

// TestDamagedLater damages a record of an open store.
func TestDamagedLater(t *testing.T) {
	s := roomy(t)
	id := persist.JobID{Epoch: 1, Seq: 9}
	key := appendKey(nil, id)
	err := s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketJobs).Put(key, []byte("nonsense")) })
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Payload(id)
	if !errors.Is(err, errDamaged) {
		t.Errorf("Payload: %v", err)
	}
	wantFatal(t, s, err)
}

// A file that somebody has deleted takes every write, and nobody will read it.
func TestFileDeleted(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir()})
	keep(t, s, put(benchJob(1)))
	if err := os.Remove(s.path); err != nil {
		t.Fatal(err)
	}
	var refused *persist.RefusedError
	for i := range uint64(2) {
		if err := commit(s, put(benchJob(2+i))); err == nil || errors.As(err, &refused) {
			t.Errorf("a job in a file without a name got %v, want a fatal error", err)
		}
	}
}
