package device

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"gearbolt/integration/harness/process"
)

// A Fault is what a recorded disk can be made to fail in, with EIO.
type Fault int

// The faults.
const (
	FailWrite Fault = iota // any write
	FailMeta               // a write that has a meta page of bbolt in it
	FailFlush              // a flush
	Faults                 // how many there are
)

var faultNames = [...]string{"write", "write of a meta page", "flush"}

func (f Fault) String() string { return faultNames[f] }

// A Recorder is a mounted disk that writes down what reaches it.
type Recorder struct {
	Dir string // where the file system is

	base    *Image // as it was at first
	image   *Image // as it is
	log     *os.File
	shared  *shared
	servant *process.Process
	fuseDir string
	mount   *Mount
}

// Record mounts a copy of base and records what is written to it, the
// mounting included. base must stay as it is.
func Record(base *Image) (*Recorder, error) {
	r := &Recorder{base: base}
	if err := r.start(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Recorder) start() (err error) {
	if r.image, err = r.base.Clone(); err != nil {
		return err
	}
	if r.fuseDir, err = mountPoint(); err != nil {
		return err
	}
	if err := r.startServant(); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(r.fuseDir, diskName), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if r.mount, err = mountFile(f, r.base.Kind); err != nil {
		return err
	}
	r.Dir = r.mount.Dir
	return nil
}

// startServant starts the process that serves the disk, and waits until it is
// there.
func (r *Recorder) startServant() error {
	files := make([]*os.File, 2)
	for i := range files {
		fd, err := unix.MemfdCreate("log", unix.MFD_CLOEXEC)
		if err != nil {
			return err
		}
		files[i] = os.NewFile(uintptr(fd), "log")
	}
	r.log = files[0]
	defer files[1].Close()
	var err error
	if r.shared, err = mapShared(files[1]); err != nil {
		return err
	}
	ready, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), servantEnv+"="+r.fuseDir)
	cmd.ExtraFiles = []*os.File{r.image.file, r.log, files[1], theirs}
	cmd.Stderr = os.Stderr
	// Not for an interrupt that the terminal sends to all: as long as the test
	// process lives, it may be about to unmount.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	r.servant, err = process.Start(cmd)
	theirs.Close()
	if err != nil {
		return err
	}
	ready.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, err := ready.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("the disk's process does not begin: %w", err)
	}
	return nil
}

// Fail makes the disk fail: count times, beginning with the n-th from now (the
// first is 1).
func (r *Recorder) Fail(f Fault, n, count int64) {
	first := r.shared.counts[f].Load() + n
	r.shared.last[f].Store(first + count - 1)
	r.shared.first[f].Store(first)
}

// Heal ends all failures.
func (r *Recorder) Heal() {
	for f := range Faults {
		r.shared.first[f].Store(0)
	}
}

// Failed returns when the disk failed first, and whether it has.
func (r *Recorder) Failed() (at Moment, yes bool) {
	return Moment(r.shared.failedAt.Load()), r.shared.failures.Load() > 0
}

// Count is how often what f is about was asked of the disk.
func (r *Recorder) Count(f Fault) int64 { return r.shared.counts[f].Load() }

// Delay makes every flush from now on take as long.
func (r *Recorder) Delay(d time.Duration) { r.shared.delay.Store(int64(d)) }

// Len is how many writes and flushes there were.
func (r *Recorder) Len() int { return int(r.shared.entries.Load()) }

// Recording returns what was recorded so far.
func (r *Recorder) Recording() (*Recording, error) { return readRecording(r.base, r.log, r.Len()) }

// Stop unmounts the disk, which nobody must use any more, and returns what was
// recorded, the unmounting included.
func (r *Recorder) Stop() (*Recording, error) {
	if err := r.unmount(); err != nil {
		return nil, err
	}
	rec, err := r.Recording()
	return rec, errors.Join(err, r.Close())
}

func (r *Recorder) unmount() error {
	if r.mount == nil {
		return nil
	}
	if err := r.mount.Unmount(); err != nil {
		return err
	}
	r.mount = nil
	return nil
}

// Close unmounts the disk and lets go of it. The base and the recordings stay
// usable. To close it again does nothing.
func (r *Recorder) Close() error {
	errs := []error{r.unmount()}
	if r.servant != nil {
		// Without its server, what is still mounted only fails.
		r.servant.Kill()
		r.servant = nil
	}
	if r.fuseDir != "" {
		unix.Unmount(r.fuseDir, unix.MNT_DETACH) // not mounted, if the servant never got that far
		errs = append(errs, os.Remove(r.fuseDir))
		r.fuseDir = ""
	}
	if r.image != nil {
		r.image.Close()
		r.log.Close()
		r.shared.unmap()
		r.image = nil
	}
	return errors.Join(errs...)
}
