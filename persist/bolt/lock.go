package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// lockTimeout bounds how long bbolt waits for its own lock on the file, which
// after ours only a stranger (a backup tool, say) can hold.
const lockTimeout = time.Second

// ErrInUse is why a directory that another process has open is refused.
var ErrInUse = errors.New("in use")

// lockDir takes the directory's lock for as long as the returned file is open.
// bbolt's own lock is on the store's file and does not notice when that is
// renamed or restored under a running server; the directory's stays.
//
// The file holds the pid of its owner. It is never removed: a lock on a file
// that has lost its name would protect nothing.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		err = fmt.Errorf("store %s: %w by %s", dir, ErrInUse, holder(f))
	case err != nil:
		err = fmt.Errorf("store: lock %s: %w", f.Name(), err)
	default:
		err = writePid(f)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// writePid writes the pid over what an earlier owner has left: a full disk has
// room for that, and may have none for a new block. Without room the lock holds
// all the same, and names nobody.
func writePid(f *os.File) error {
	pid := strconv.AppendInt(nil, int64(os.Getpid()), 10)
	_, err := f.WriteAt(pid, 0)
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		f.Truncate(0)
		return nil
	case err == nil:
		err = f.Truncate(int64(len(pid)))
	}
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

// holder names the process that holds the lock. Between its taking the lock
// and writing down its pid, it has none.
func holder(f *os.File) string {
	b, err := io.ReadAll(io.LimitReader(f, 32))
	if pid, convErr := strconv.Atoi(string(bytes.TrimSpace(b))); err == nil && convErr == nil {
		return "the process with pid " + strconv.Itoa(pid)
	}
	return "another process"
}
