package persist

import "errors"

// A Backuper is a store that can copy itself while it is in use. Not every
// store is one.
type Backuper interface {
	// Backup makes a copy of all that is kept, as it was at one moment after
	// the call began, and returns where it is and how many bytes it has. name
	// is part of where that is; one that is no plain name, or is taken, is
	// refused. When it returns nil the copy is on stable storage. Closing stop
	// breaks it off. Backup may be called at any time between Load and Close;
	// Commits go on meanwhile.
	Backup(name string, stop <-chan struct{}) (path string, size int64, err error)
}

// ErrNoBackup is why a store that is no [Backuper] makes no copy.
var ErrNoBackup = errors.New("this store makes no copies of itself")
