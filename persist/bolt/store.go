// Package bolt is the store that survives: it keeps background jobs in one
// file, by bbolt, and calls nothing kept that is not on stable storage.
//
// One goroutine writes. While it waits for the disk, Commits gather, and the
// next transaction takes all of them: so the disk's pace sets the size of the
// groups, and no timer is needed.
//
// A disk that is full is a state: jobs are refused until there is room. Any
// other error in writing is an end: whether a transaction whose sync failed is
// on the disk, nobody can tell, and a second sync that succeeds proves nothing.
// After one, the store takes no more, and the process is expected to end; Open
// then makes the kernel read the file anew.
//
// # The file
//
// The buckets of its tree are
//
//	meta      application: "gearbolt store"; format and epoch: crc32 number:8;
//	          ledger: crc32 jobs:8 sum:8
//	jobs      job number -> job, or the pack that begins with it
//	parts     job number -> a bucket: job number part number:4 -> part
//	attempts  job number -> attempts, where SetAttempt has changed those of the job
//	limits    'f' + function -> limit
//
// A job number is its Epoch and Seq, 8 bytes each, so that keys order as jobs
// were submitted and new ones are appended. All numbers are big-endian. A value
// begins with the CRC-32C (Castagnoli) of its key followed by its rest, since
// bbolt does not checksum what it keeps; only that of "application" does not.
//
//	job       crc32 version:1 priority:1 flags:1 attempts:4 [due:8, Unix time in ms]
//	          prefix function unique [reducer], and in
//	          version 1: payload
//	          version 2: length of the payload:8 how many parts:4
//	pack      crc32 version=3 count:2 [where it begins in the pack:2] for each job,
//	          [job number:16 job] for each
//	part      crc32 bytes
//	attempts  crc32 attempts:4
//	limit     crc32 version=1 high:4 normal:4 low:4
//	          crc32 version=2 high:4 normal:4 low:4 bytes:8
//
// The strings are preceded by their length as a uvarint; the payload is what
// is left. Priorities are 0 high, 1 normal, 2 low. Of the flags, 1 says that there
// is a due time, and 2 that there is a reducer, be it empty. Whether a value of
// bucket jobs is a pack, the byte behind its checksum tells.
//
// A payload of more than 32 KiB is cut into parts of 256 KiB, the last
// one shorter, numbered from 0. They have a bucket for each job because bbolt
// writes the neighbours of what is changed again, which are then those of the
// same job; and goes with its job in the same transaction.
//
// A pack has two jobs or more, in the order of their numbers. Each is sealed as
// it would be alone, with its own number for a key. Packs are what new jobs are
// put into as long as they fit, up to 2 KiB together; a larger one is alone. A
// pack of which jobs go is written again without them, or as a lone job when one
// is left. No job is in two packs, and none has its number between two of another
// pack. The places are counted from the beginning of the value, and each job ends
// where the next begins, or the value ends. The checksum of a pack is that of its
// key and of what stands before the first job.
//
// The ledger has the number of jobs, and the sum, modulo 2^64, of a hash of the
// bucket, the key and the checksum of every record in the other buckets, of jobs
// in packs each by itself. With the key cut into words of 8 bytes and, for what
// is left, of one,
//
//	h = bucket<<32 | checksum; for each word: h = mix(h ^ word); hash = mix(h)
//
// where the buckets are limits 2, attempts 3, parts 4 and jobs 5, and mix is the
// step of SplitMix64. A transaction that changes records changes it with them.
//
// The sequence number of bbolt's root bucket is 1 in a copy (a backup, what was
// salvaged, and what comes of them), else 0: see nextEpoch.
//
// Format 1 had neither the bucket parts nor jobs of version 2. A file of it is
// opened as it is: Load adds the bucket and makes it one of the current format,
// and the jobs stay in it as they are. Format 2 had neither packs nor a ledger:
// Load writes down the ledger of what it has read, likewise.
package bolt

import (
	"os"
	"sync"
	"sync/atomic"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"gearbolt/persist"
	"gearbolt/persist/internal/inbox"
)

// A Store is a [persist.Store] in one file.
type Store struct {
	options  Options
	path     string
	epoch    uint64
	counted  bool   // the file knows of epoch; nothing is written before
	ledger   ledger // of all that is kept; the writer's since Load
	warnings []string

	lock *os.File // holds the directory's lock
	file *os.File // bbolt's, which it may have closed
	db   *bbolt.DB

	reserved int64 // up to here the file has blocks on its disk

	inbox  *inbox.Inbox
	writer writer
	commit func(*bbolt.Tx) error // Tx.Commit; tests put a failing disk in its place

	backingUp sync.Mutex // held by Backup
	failed    atomic.Pointer[failure]
	panicked  atomic.Bool // bbolt has: it may hold locks for ever
	closeOnce sync.Once
	closeErr  error
}

// A failure is the fatal error that the store ended with.
type failure struct{ err error }

// fail makes err, unless there was one before, the error that everything gets
// from now on, and returns the one that it is.
func (s *Store) fail(err error) error {
	s.failed.CompareAndSwap(nil, &failure{err})
	return s.failure()
}

// failure returns the fatal error, or nil as long as all is well.
func (s *Store) failure() error {
	if f := s.failed.Load(); f != nil {
		return f.err
	}
	return nil
}

// Epoch implements [persist.Store].
func (s *Store) Epoch() uint64 { return s.epoch }

// Warnings returns what Open found that does not keep the store from working,
// but may one day cost data. Each is one line for the log.
func (s *Store) Warnings() []string { return s.warnings }

// Commit implements [persist.Store].
func (s *Store) Commit(changes []persist.Change, done func(error)) { s.inbox.Put(changes, done) }

// Close implements [persist.Store]. It must not be called by a done.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.inbox.Close()
		s.closeErr = s.release()
	})
	return s.closeErr
}

// release lets go of everything that Open took.
func (s *Store) release() error {
	var err error
	switch {
	case s.db != nil && !s.panicked.Load():
		err = s.db.Close()
	case s.file != nil:
		// bbolt may have closed it. If not, its lock is to go, which the
		// mapping of the file would keep.
		unix.Flock(int(s.file.Fd()), unix.LOCK_UN)
		s.file.Close()
	}
	if lockErr := s.lock.Close(); err == nil {
		err = lockErr
	}
	return err
}
