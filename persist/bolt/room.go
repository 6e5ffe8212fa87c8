package bolt

import (
	"fmt"
	"math"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"gearbolt/persist"
)

// A room is how much may still be put into the store, and why it is no more.
type room struct {
	left  int64 // bytes of jobs
	all   int64 // bytes, at first
	kept  int64 // of all, for finishing jobs
	where string
}

// room works out how much room is left at the beginning of tx: what the file
// system has free, or MaxSize leaves, and what is free in the file, without
// what is kept for finishing jobs.
func (s *Store) room(tx *bbolt.Tx) room {
	stats := s.db.Stats()
	inside := int64(stats.FreePageN+stats.PendingPageN) * int64(s.db.Info().PageSize)
	disk := s.diskFree() + max(s.reserved-tx.Size(), 0)
	r := roomIn(disk+inside, s.options.MinFree, "on the disk")
	if most := s.options.MaxSize; most > 0 {
		file := roomIn(max(most-growStep-tx.Size(), 0)+inside, s.options.keptOfMaxSize(), "below the file's largest size")
		if file.left < r.left {
			return file
		}
	}
	return r
}

func roomIn(all, kept int64, where string) room { return room{all - kept, all, kept, where} }

// short returns the error for a job that there is no room for.
func (r room) short() error {
	return fmt.Errorf("%w: of %.1f MiB of room %s, %.1f MiB are kept for finishing jobs (store-min-free)",
		persist.ErrFull, float64(r.all)/(1<<20), r.where, float64(r.kept)/(1<<20))
}

// warnOfRoom warns when the store starts without room for a job.
func (s *Store) warnOfRoom() error {
	return s.db.View(func(tx *bbolt.Tx) error {
		if r := s.room(tx); r.left <= 0 {
			s.warnings = append(s.warnings, fmt.Sprintf("store %s: background jobs are refused: %v", s.path, r.short()))
		}
		return nil
	})
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
	size := int64(jobSize(j)) + packRoom + partsRoom(len(j.Payload))
	if r.left < size {
		return false
	}
	r.left -= size
	return true
}
