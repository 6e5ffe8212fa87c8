package bolt

import "go.etcd.io/bbolt"

// Unlook takes the file's pages out of the process's memory, as after Load:
// what has been written has mostly been looked at, too. What is needed again
// comes back from the kernel's cache. After Close it does nothing.
func (s *Store) Unlook() {
	_ = s.view(func(tx *bbolt.Tx) error { // a transaction keeps the mapping where it is
		s.unlook(tx)
		return nil
	})
}
