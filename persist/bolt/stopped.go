package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Progress is told from time to time how far a long work has come: bytes done,
// of all, and records met so far. An error of it ends the work and is returned.
// It may be nil.
type Progress func(done, all, records int64) error

// A stopped is the file of a store that no server uses, for as long as it is
// open.
type stopped struct {
	pager
	path string
	info fs.FileInfo

	file *os.File
	lock *os.File // the directory's; nil: it has none
}

// storeFile returns the file of the store at path, which is its directory or
// the file itself.
func storeFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("store: %w", err)
	}
	if info.IsDir() {
		return filepath.Join(path, fileName), nil
	}
	return path, nil
}

// openStopped opens a store for reading. It refuses one that a server uses; a
// copy that lies elsewhere under another name nobody uses.
func openStopped(path string) (s *stopped, err error) {
	s = new(stopped)
	if s.path, err = storeFile(path); err != nil {
		return nil, err
	}
	if filepath.Base(s.path) == fileName {
		if s.lock, err = lockStopped(filepath.Dir(s.path)); err != nil {
			return nil, err
		}
	}
	if err := s.open(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *stopped) open() (err error) {
	// Without waiting for a writer, should it be a pipe.
	if s.file, err = os.OpenFile(s.path, os.O_RDONLY|unix.O_NONBLOCK, 0); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if s.info, err = s.file.Stat(); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if mode := s.info.Mode(); !mode.IsRegular() {
		return fmt.Errorf("store %s: it is not a file but a %s", s.path, kindOf(mode))
	}
	// Whoever opens the file with bbolt has this lock alone.
	if err := unix.Flock(int(s.file.Fd()), unix.LOCK_SH|unix.LOCK_NB); err == unix.EWOULDBLOCK {
		return fmt.Errorf("store %s: %w by another process, which has locked the file", s.path, ErrInUse)
	}
	s.pager = pager{file: s.file, size: s.info.Size()}
	return nil
}

func (s *stopped) close() {
	if s.file != nil {
		s.file.Close()
	}
	if s.lock != nil {
		s.lock.Close()
	}
}

// lockStopped takes a directory's lock as lockDir does, but writes nothing where
// it may not: what is looked at may lie on a file system that is read-only.
// Without a lock there, no server has ever used the directory.
func lockStopped(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err == nil {
		f.Close()
		return lockDir(dir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if f, err = os.Open(path); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if err == unix.EWOULDBLOCK {
			return nil, fmt.Errorf("store %s: %w by %s", dir, ErrInUse, holder(f))
		}
		return nil, fmt.Errorf("store: lock %s: %w", path, err)
	}
	return f, nil
}

// metas returns what the valid meta pages say, the newer one first, and why the
// others are not valid.
func (s *stopped) metas() (valid []meta, invalid []error) {
	m0, err0 := readMeta(s.file, 0)
	m1, err1 := secondMeta(s.file, m0.pageSize)
	for i, err := range []error{err0, err1} {
		if err != nil {
			invalid = append(invalid, fmt.Errorf("meta page %d: %w", i, err))
			continue
		}
		valid = append(valid, []meta{m0, m1}[i])
	}
	if len(valid) == 2 && m1.txid > m0.txid {
		valid[0], valid[1] = m1, m0
	}
	return valid, invalid
}
