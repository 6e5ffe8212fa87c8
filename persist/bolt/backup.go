package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"gearbolt/persist"
)

var _ persist.Backuper = (*Store)(nil)

// backupsName is the directory of the backups in that of the store.
const backupsName = "backups"

// errStopped is why a backup ends that is told to.
var errStopped = errors.New("it was broken off")

// Backup copies the store as it is at one moment into a new file of the
// directory "backups" beside it, while the store goes on. When it returns
// without an error, all that was told to be kept before it began is in that
// file, which has been read through and is on stable storage. To restore it,
// copy it to gearbolt.db in an empty directory.
//
// name is a plain file name. Closing stop breaks the copying off. Pages that
// become free meanwhile are not used again before its end, so that the store's
// file grows by what is written in that time; and should the file outgrow the
// address space set aside for it (16 GiB, or its own size at the start if that
// is more), what is to be kept waits for the end of the copying.
func (s *Store) Backup(name string, stop <-chan struct{}) (path string, size int64, err error) {
	if !s.backingUp.TryLock() {
		return "", 0, errors.New("another backup is under way")
	}
	defer s.backingUp.Unlock()
	original, err := s.file.Stat()
	if err != nil {
		return "", 0, fmt.Errorf("store: %w", err)
	}
	b, err := newBackup(s.options.Dir, name, original)
	if err != nil {
		return "", 0, err
	}
	c := &copying{stop: stop}
	err = s.view(func(tx *bbolt.Tx) (err error) {
		if err := needFree(b.dir, tx.Size()+s.options.MinFree); err != nil {
			return err
		}
		if c.out, err = os.OpenFile(b.temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
			return err
		}
		_, err = tx.WriteTo(c)
		return err
	})
	if c.out != nil {
		defer c.out.Close()
	}
	if err == nil {
		err = c.finish(b)
	}
	if err != nil {
		return "", 0, b.fail(err)
	}
	return b.path, c.written, b.publish()
}

// BackupStopped is [Store.Backup] for the store in dir that no server uses.
func BackupStopped(dir, name string, progress Progress) (path string, size int64, err error) {
	s, err := openToRead(dir)
	if err != nil {
		return "", 0, err
	}
	defer s.close()
	b, err := newBackup(dir, name, s.info)
	if err != nil {
		return "", 0, err
	}
	if _, err := s.rewrite(b.temp, true, progress, func() error { return nil }); err != nil {
		return "", 0, b.fail(err)
	}
	info, err := os.Stat(b.temp)
	if err != nil {
		return "", 0, b.fail(err)
	}
	return b.path, info.Size(), b.publish()
}

// A backup is the file of a backup. It has another name, temp, until it is whole
// and on stable storage.
type backup struct {
	dir, path, temp string
	original        fs.FileInfo
}

// newBackup prepares the directory of the backups for one of this name.
func newBackup(dir, name string, original fs.FileInfo) (*backup, error) {
	if err := checkBackupName(name); err != nil {
		return nil, err
	}
	b := &backup{dir: filepath.Join(dir, backupsName), original: original}
	b.path = filepath.Join(b.dir, name)
	b.temp = b.path + ".new"
	if err := b.makeDir(); err != nil {
		return nil, fmt.Errorf("the directory of the backups: %w", err)
	}
	if _, err := os.Lstat(b.path); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is a %s already", b.path)
	}
	if err := os.Remove(b.temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return b, nil
}

// checkBackupName refuses what is no plain file name: who may ask for a backup
// is not to choose where files are written.
func checkBackupName(name string) error {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	if name == "" || len(name) > 100 || name[0] == '.' || strings.Trim(name, letters) != "" || strings.HasSuffix(name, ".new") {
		return fmt.Errorf("%.120q is no name for a backup: up to 100 letters, digits, dots, dashes and underscores, "+
			"no dot in front and no .new behind", name)
	}
	return nil
}

func (b *backup) makeDir() error {
	err := os.Mkdir(b.dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	d, err := os.Open(b.dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return errors.Join(own(d, b.original, 0o700), syncDir(filepath.Dir(b.dir)))
}

// fail removes the unfinished file.
func (b *backup) fail(err error) error {
	os.Remove(b.temp)
	return err
}

// publish gives the file its name.
func (b *backup) publish() error {
	if err := unix.Renameat2(unix.AT_FDCWD, b.temp, unix.AT_FDCWD, b.path, unix.RENAME_NOREPLACE); err != nil {
		return b.fail(&os.LinkError{Op: "rename", Old: b.temp, New: b.path, Err: err})
	}
	return syncDir(b.dir)
}

// needFree fails unless the file system of dir has room for n bytes.
func needFree(dir string, n int64) error {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return nil // a write that fails will tell
	}
	if free := int64(min(st.Bavail, uint64(1<<62/st.Bsize))) * st.Bsize; free < n {
		return fmt.Errorf("%s has room for %d bytes; %d are needed, with what the server keeps for finishing jobs", dir, free, n)
	}
	return nil
}

// A copying takes the bytes of a database and puts them into a file, marked as a
// copy's.
type copying struct {
	out     *os.File
	written int64
	stop    <-chan struct{}
}

// finish puts the copy on stable storage and reads it through.
func (c *copying) finish(b *backup) error {
	if err := errors.Join(own(c.out, b.original, 0o600), c.out.Sync()); err != nil {
		return err
	}
	s := &stopped{pager: pager{file: c.out, size: c.written}, path: b.temp, file: c.out}
	report, err := s.check(func(int64, int64, int64) error { return c.stopped() })
	if err != nil {
		return err
	}
	if !report.Clean() {
		return fmt.Errorf("the store is damaged: %v; see gearbolt store check", report.Damage[0])
	}
	unix.Fadvise(int(c.out.Fd()), 0, 0, unix.FADV_DONTNEED) // nobody reads it soon: only a hint
	return nil
}

func (c *copying) stopped() error {
	select {
	case <-c.stop:
		return errStopped
	default:
		return nil
	}
}

// Write writes the next bytes of the copy. The first two pages are the meta
// pages.
func (c *copying) Write(b []byte) (int, error) {
	if c.written == 0 || c.written == int64(len(b)) {
		b = bytes.Clone(b)
		markMeta(b)
	}
	n, err := c.out.Write(b)
	c.written += int64(n)
	return n, err
}

const (
	copiedAtOnce = 1 << 20  // bytes
	copiedUnsafe = 32 << 20 // bytes that may be copied before they are synced
)

// ReadFrom copies what follows the meta pages. It lets the disk catch up now and
// then: all of the copy at once would hold up the store's own syncs for as long
// as it takes.
func (c *copying) ReadFrom(r io.Reader) (n int64, err error) {
	b := make([]byte, copiedAtOnce)
	for unsynced := 0; ; {
		got, readErr := io.ReadFull(r, b)
		if _, err := c.out.Write(b[:got]); err != nil {
			return n, err
		}
		n, c.written, unsynced = n+int64(got), c.written+int64(got), unsynced+got
		if readErr == io.EOF || readErr == io.ErrUnexpectedEOF {
			return n, nil
		}
		if err := errors.Join(readErr, c.stopped()); err != nil {
			return n, err
		}
		if unsynced >= copiedUnsafe {
			if err := unix.Fdatasync(int(c.out.Fd())); err != nil {
				return n, err
			}
			unsynced = 0
		}
	}
}
