package bolt

import (
	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// Release takes the file's pages out of the process's memory; the kernel's
// cache keeps them as long as it likes, and what is needed is mapped again. To
// load a long queue, or to write one, touches the whole file.
func (s *Store) Release() {
	_ = s.view(func(tx *bbolt.Tx) error { // a transaction keeps the mapping where it is
		_, _, errno := unix.Syscall(unix.SYS_MADVISE, s.db.Info().Data, uintptr(tx.Size()), unix.MADV_DONTNEED)
		return errno // which only costs memory
	})
}
