package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// inspect looks at the file as it is on the disk, before bbolt trusts it.
func (s *Store) inspect() error {
	f, err := os.Open(s.path)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if err := evict(f); err != nil {
		return fmt.Errorf("store %s: %w", s.path, err)
	}
	m, other, err := currentMeta(f)
	if err != nil {
		return s.refuse("%w", err)
	}
	if other != nil {
		s.warnings = append(s.warnings, fmt.Sprintf("store %s: one of its two meta pages is not valid (%v); "+
			"the other one is used, as after a power cut while the first was being written", s.path, other))
	}
	if err := s.compareDirect(f, 2*m.pageSize); err != nil {
		return err
	}
	unix.Fadvise(int(f.Fd()), 0, min(info.Size(), readAhead), unix.FADV_WILLNEED) // only a hint
	if err := checkShape(f, info.Size(), m); err != nil {
		return s.refuse("%w", err)
	}
	return nil
}

// readAhead is how much of the file is asked for at once when it is opened,
// in bytes: all of it is about to be read, and page by page that is slow.
const readAhead = 1 << 30

// evict makes the kernel forget its copy of the file. After a failed sync that
// copy may show pages as clean that never reached the disk; a store that was
// opened from them would be built on nothing. Pages that are still to be
// written, which a killed process leaves behind, are written first.
func evict(f *os.File) error {
	if err := unix.Fdatasync(int(f.Fd())); err != nil {
		return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
	}
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return &os.PathError{Op: "fadvise", Path: f.Name(), Err: err}
	}
	return nil
}

// directAlign suits the block size of every disk in use.
const directAlign = 4096

// compareDirect compares the first n bytes of the file as the kernel caches
// them with those on the disk. Some file systems cannot read past their cache;
// there, nothing is compared.
func (s *Store) compareDirect(f io.ReaderAt, n int64) error {
	n = (n + directAlign - 1) / directAlign * directAlign
	direct, err := os.OpenFile(s.path, os.O_RDONLY|unix.O_DIRECT, 0)
	if errors.Is(err, unix.EINVAL) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer direct.Close()
	onDisk, err := readFull(direct, n)
	if errors.Is(err, unix.EINVAL) {
		return nil
	}
	cached, cachedErr := readFull(f, n)
	if err := errors.Join(err, cachedErr); err != nil {
		return fmt.Errorf("store %s: %w", s.path, err)
	}
	if !bytes.Equal(onDisk, cached) {
		return fmt.Errorf("store %s: the kernel shows something else than what is on the disk, as after a failed write; "+
			"unmount its file system, or restart the machine, before using it again", s.path)
	}
	return nil
}

// readFull reads the first n bytes of f, or all if there are fewer.
func readFull(f io.ReaderAt, n int64) ([]byte, error) {
	b := make([]byte, n+directAlign)
	skip := directAlign - int64(uintptr(unsafe.Pointer(&b[0]))%directAlign)
	b = b[skip : skip+n]
	got, err := f.ReadAt(b, 0)
	if err == io.EOF {
		err = nil
	}
	return b[:got], err
}
