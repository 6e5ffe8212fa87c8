package bolt

import (
	"math"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"gearbolt/persist"
)

// A room is how many bytes of jobs may still be put into the store.
type room int64

// room works out how much room is left at the beginning of tx: what the file
// system has free, or MaxSize leaves, and what is free in the file, without the
// MinFree that is kept for finishing jobs.
func (s *Store) room(tx *bbolt.Tx) room {
	outside := s.diskFree() + max(s.reserved-tx.Size(), 0)
	if s.options.MaxSize > 0 {
		outside = min(outside, s.options.MaxSize-growStep-tx.Size())
	}
	stats := s.db.Stats()
	inside := int64(stats.FreePageN+stats.PendingPageN) * int64(s.db.Info().PageSize)
	return room(max(outside, 0) + inside - s.options.MinFree)
}

// reserve makes the file system set aside blocks for all of the file, which
// bbolt makes longer in large steps, in advance and without content. So there is
// room for finishing jobs even when somebody else fills the disk.
//
// Where it cannot be done, nothing is lost: a write that fails tells too.
func (s *Store) reserve() {
	info, err := s.file.Stat()
	if err != nil || info.Size() <= s.reserved {
		return
	}
	err = unix.Fallocate(int(s.file.Fd()), unix.FALLOC_FL_KEEP_SIZE, s.reserved, info.Size()-s.reserved)
	if err == nil {
		s.reserved = info.Size()
	}
}

// diskFree returns the free bytes of the file system. Where they cannot be
// known, only a write that fails tells that it is full.
func (s *Store) diskFree() int64 {
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(s.lock.Fd()), &st); err != nil {
		return math.MaxInt64 / 2
	}
	return int64(min(st.Bavail, uint64(math.MaxInt64/2/st.Bsize))) * st.Bsize
}

// take takes the room of a job and reports whether there was enough.
func (r *room) take(j *persist.Job) bool {
	const element = 2 * pageHeader // what the tree adds to a record, with its key
	size := room(jobSize(j) + element)
	if *r < size {
		return false
	}
	*r -= size
	return true
}
