package device

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"

	"golang.org/x/sys/unix"
)

// A Kind is a kind of file system.
type Kind string

// The file systems that disks are formatted with.
const (
	Ext4 Kind = "ext4"
	XFS  Kind = "xfs"
)

// Smallest is the size in bytes of a small disk: mkfs.xfs makes none below
// 300 MiB.
func (k Kind) Smallest() int64 {
	if k == XFS {
		return 300 << 20
	}
	return 64 << 20
}

// mkfs is the command that formats a file, whose name is to be appended. All of
// the file system is written now and nothing later in the background, and what
// would only be zeroed is left a hole. Blocks have the size that they have on a
// disk that is not small.
func (k Kind) mkfs() []string {
	if k == XFS {
		return []string{"mkfs.xfs", "-q", "-f", "-K"}
	}
	return []string{"mkfs.ext4", "-q", "-F", "-b", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard"}
}

// options are those of mount: disks that are copies of each other have one
// UUID, which XFS would not have twice.
func (k Kind) options() string {
	if k == XFS {
		return "nouuid"
	}
	return ""
}

// An Image is the contents of a disk. It is a file in memory without a name, in
// which what was never written takes no room.
type Image struct {
	Kind Kind
	file *os.File
}

func newImage(kind Kind, size int64) (*Image, error) {
	fd, err := unix.MemfdCreate("disk", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memfd: %w", err)
	}
	im := &Image{kind, os.NewFile(uintptr(fd), "disk")}
	if err := im.file.Truncate(size); err != nil {
		im.Close()
		return nil, err
	}
	return im, nil
}

// Close lets go of the image.
func (im *Image) Close() error { return im.file.Close() }

type format struct {
	kind Kind
	size int64
}

var formatted sync.Map // from format to what its first user makes

// Format returns a new disk of size bytes with an empty file system.
func Format(kind Kind, size int64) (*Image, error) {
	f := format{kind, size}
	once, _ := formatted.LoadOrStore(f, sync.OnceValues(f.make))
	first, err := once.(func() (*Image, error))()
	if err != nil {
		return nil, err
	}
	return first.Clone()
}

func (f format) make() (*Image, error) {
	im, err := newImage(f.kind, f.size)
	if err != nil {
		return nil, err
	}
	args := append(f.kind.mkfs(), "/proc/self/fd/3")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.ExtraFiles = []*os.File{im.file}
	if out, err := cmd.CombinedOutput(); err != nil {
		im.Close()
		return nil, fmt.Errorf("%s: %w: %s", args[0], err, out)
	}
	return im, nil
}

// Clone returns a copy.
func (im *Image) Clone() (*Image, error) {
	size, err := im.file.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	to, err := newImage(im.Kind, size)
	if err != nil {
		return nil, err
	}
	if err := copyData(to.file, im.file, size); err != nil {
		to.Close()
		return nil, err
	}
	return to, nil
}

// copyData copies a file except for its holes.
func copyData(to, from *os.File, size int64) error {
	buf := make([]byte, 1<<20)
	fd := int(from.Fd())
	for at := int64(0); at < size; {
		data, err := unix.Seek(fd, at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil // only a hole is left
		}
		if err != nil {
			return err
		}
		if at, err = unix.Seek(fd, data, unix.SEEK_HOLE); err != nil {
			return err
		}
		part := io.NewSectionReader(from, data, at-data)
		if _, err := io.CopyBuffer(onlyWriter{io.NewOffsetWriter(to, data)}, part, buf); err != nil {
			return err
		}
	}
	return nil
}

// onlyWriter hides what would keep CopyBuffer from using its buffer.
type onlyWriter struct{ io.Writer }
