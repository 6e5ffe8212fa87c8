package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// A pidFile is opened early, when the process may still be root, and written
// late: who cannot start because another server runs leaves the file to it.
type pidFile struct {
	path string
	f    *os.File
	made bool // by this process
}

// openPIDFile opens path for writing and makes it if it is missing. A link, or
// another user's file, is removed and not followed.
func openPIDFile(path string) (*pidFile, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err == nil && isOwn(f) {
		return &pidFile{path: path, f: f}, nil
	}
	if err == nil {
		f.Close()
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	return &pidFile{path: path, f: f, made: true}, nil
}

// isOwn reports whether f is a file of the process's user, under one name only.
func isOwn(f *os.File) bool {
	var st unix.Stat_t
	err := unix.Fstat(int(f.Fd()), &st)
	return err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && st.Nlink == 1 && int(st.Uid) == os.Geteuid()
}

// write writes the process's number. A predecessor that ended meanwhile may have
// removed the file that was opened.
func (p *pidFile) write() error {
	if !p.named() {
		again, err := openPIDFile(p.path)
		if err != nil {
			return err
		}
		p.f.Close()
		*p = *again
	}
	if err := p.f.Truncate(0); err != nil {
		return err
	}
	_, err := p.f.WriteAt(pidLine(), 0)
	return err
}

// named reports whether the file still has its name.
func (p *pidFile) named() bool {
	opened, err := p.f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(p.path)
	return err == nil && os.SameFile(opened, there)
}

// giveUp leaves everything as it was before openPIDFile.
func (p *pidFile) giveUp() {
	if p.made && p.named() {
		os.Remove(p.path)
	}
	p.f.Close()
}

// remove removes the file, unless it has become another process's.
func (p *pidFile) remove() error {
	defer p.f.Close()
	b, err := os.ReadFile(p.path)
	if err != nil || !bytes.Equal(b, pidLine()) {
		return err
	}
	return os.Remove(p.path)
}

func pidLine() []byte { return append(strconv.AppendInt(nil, int64(os.Getpid()), 10), '\n') }
