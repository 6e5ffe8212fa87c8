package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	berrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"

	"gearbolt/persist"
)

// refuse returns the error for a file that is not to be worked with.
func (s *Store) refuse(format string, args ...any) error {
	return fmt.Errorf("store %[1]s: damaged: %[2]w; nothing was deleted: gearbolt store check %[1]s tells more, "+
		"gearbolt store salvage %[1]s NEW-DIRECTORY makes a good store of what is left", s.path, fmt.Errorf(format, args...))
}

// guarded calls f and returns a panic as an error that is fatal: bbolt panics
// when what it reads makes no sense.
func (s *Store) guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.panicked.Store(true)
			err = s.fail(s.refuse("%v", p))
		}
	}()
	return f()
}

// noRoom are the errors of a disk, a quota or a file that cannot hold more.
var noRoom = []error{unix.ENOSPC, unix.EDQUOT, unix.EFBIG}

// full returns err as an ErrFull if a commit failed with it for lack of room
// and before anything was promised, or else nil. Only a write or a truncate may
// have run out of room: when a sync does, it is unknown what was lost.
func full(err error) error {
	if errors.Is(err, berrors.ErrMaxSizeReached) || writeFull(err) || resizeFull(err) {
		return fmt.Errorf("%w: %w", persist.ErrFull, err)
	}
	return nil
}

func writeFull(err error) bool {
	var pathErr *fs.PathError
	if !errors.As(err, &pathErr) || pathErr.Op != "write" && pathErr.Op != "truncate" {
		return false
	}
	for _, e := range noRoom {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// resizeFull recognises a truncate that failed by its text, since bbolt 1.5
// does not wrap that error.
func resizeFull(err error) bool {
	text, ok := strings.CutPrefix(err.Error(), "file resize error: truncate ")
	for _, e := range noRoom {
		if ok && strings.HasSuffix(text, e.Error()) {
			return true
		}
	}
	return false
}
