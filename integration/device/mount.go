package device

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A Mount is a file system in use.
type Mount struct {
	Dir string
}

// Mount mounts the image. What is written goes into it.
func (im *Image) Mount() (*Mount, error) { return mountFile(im.file, im.Kind) }

// mountFile mounts a file that holds a disk. The loop device is let go by the
// kernel when nobody uses it any more.
func mountFile(f *os.File, kind Kind) (*Mount, error) {
	loop, err := attach(f)
	if err != nil {
		return nil, err
	}
	defer loop.Close()
	dir, err := mountPoint()
	if err != nil {
		return nil, err
	}
	if err := unix.Mount(loop.Name(), dir, string(kind), 0, kind.options()); err != nil {
		os.Remove(dir)
		return nil, fmt.Errorf("mount %s of kind %s: %w", loop.Name(), kind, err)
	}
	return &Mount{dir}, nil
}

// Unmount unmounts the file system. It fails if somebody uses it; that is seen
// only after a while, since a process that this one is just starting has all of
// its files for a moment.
func (m *Mount) Unmount() error {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		err := unix.Unmount(m.Dir, 0)
		if err == nil {
			return os.Remove(m.Dir)
		}
		if !errors.Is(err, unix.EBUSY) || time.Now().After(deadline) {
			return fmt.Errorf("unmount %s: %w", m.Dir, err)
		}
	}
}

// attach puts a loop device over f.
func attach(f *os.File) (*os.File, error) {
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer control.Close()
	for deadline := time.Now().Add(10 * time.Second); ; {
		loop, err := attachFree(control, f)
		if !errors.Is(err, unix.EBUSY) || time.Now().After(deadline) {
			return loop, err
		}
	}
}

// attachFree attaches f to the first loop device that is free. It fails with
// EBUSY when somebody else was faster.
func attachFree(control, f *os.File) (*os.File, error) {
	n, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
	if err != nil {
		return nil, fmt.Errorf("no free loop device: %w", err)
	}
	loop, err := os.OpenFile(fmt.Sprintf("/dev/loop%d", n), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	config := unix.LoopConfig{Fd: uint32(f.Fd())}
	config.Info.Flags = unix.LO_FLAGS_AUTOCLEAR
	if err := unix.IoctlLoopConfigure(int(loop.Fd()), &config); err != nil {
		loop.Close()
		return nil, fmt.Errorf("configure %s: %w", loop.Name(), err)
	}
	return loop, nil
}
