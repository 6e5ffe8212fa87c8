package device

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"gearbolt/integration/harness"
)

// insideEnv says that the process is in a mount namespace of its own. It does not
// begin as the names of a server's settings do.
const insideEnv = "TEST_GEARBOLT_MOUNTS"

// Main runs the tests of a package that uses disks, and ends the process.
func Main(m *testing.M) {
	if os.Getenv(servantEnv) != "" {
		serveAndExit()
	}
	if os.Getenv(insideEnv) == "" && os.Geteuid() == 0 {
		noNamespace = enter()
	}
	sweep()
	code := m.Run()
	os.RemoveAll(ownDir())
	os.Exit(code)
}

// noNamespace is why the process has no mount namespace of its own.
var noNamespace error

// enter starts the program once more, as the same process in a new mount
// namespace. It returns only if it fails.
func enter() error {
	runtime.LockOSThread() // the namespace is the thread's until exec
	defer runtime.UnlockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(self, os.Args, append(os.Environ(), insideEnv+"=1"))
}

// Need skips the test where disks cannot be made: that takes root, FUSE, loop
// devices and a kernel that knows the file system. The named programs can be
// installed everywhere, and so must not be missing in CI; with mkfs.KIND, a disk
// of that kind is mounted once.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	switch {
	case os.Geteuid() != 0:
		t.Skip("only root may mount file systems")
	case noNamespace != nil:
		t.Skipf("no mount namespace: %v", noNamespace)
	}
	for _, node := range []string{"/dev/fuse", "/dev/loop-control"} {
		f, err := os.OpenFile(node, os.O_RDWR, 0)
		if err != nil {
			t.Skipf("no disks can be made: %v", err)
		}
		f.Close()
	}
	harness.Need(t, programs...)
	for _, p := range programs {
		if kind, ok := strings.CutPrefix(p, "mkfs."); ok {
			needMount(t, Kind(kind))
		}
	}
}

// needMount skips the test where the system lets no disk of some kind be
// mounted. Whatever else goes wrong is for the test to find.
func needMount(t testing.TB, kind Kind) {
	t.Helper()
	try, _ := mounts.LoadOrStore(kind, sync.OnceValue(kind.mount))
	err := try.(func() error)()
	for _, why := range []error{unix.ENODEV, unix.EPERM, unix.EACCES, unix.ENXIO, fs.ErrNotExist} {
		if errors.Is(err, why) {
			t.Skipf("no disk of kind %s can be used: %v", kind, err)
		}
	}
}

var mounts sync.Map // from Kind to what tries it once

// mount mounts a disk and lets go of it.
func (k Kind) mount() error {
	im, err := Format(k, k.Smallest())
	if err != nil {
		return err
	}
	defer im.Close()
	m, err := im.Mount()
	if err != nil {
		return err
	}
	return m.Unmount()
}

// dirPrefix begins the names of the directories that disks are mounted in; the
// number of the process follows.
const dirPrefix = "gearbolt-device-"

func ownDir() string {
	return filepath.Join(os.TempDir(), dirPrefix+strconv.Itoa(os.Getpid()))
}

// mountPoint makes an empty directory.
func mountPoint() (string, error) {
	if err := os.MkdirAll(ownDir(), 0o700); err != nil {
		return "", err
	}
	return os.MkdirTemp(ownDir(), "disk-")
}

// sweep removes the directories of processes that are gone. What was mounted
// there went with them, so that they are empty.
func sweep() {
	all, _ := filepath.Glob(filepath.Join(os.TempDir(), dirPrefix+"*"))
	for _, dir := range all {
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(dir), dirPrefix))
		if err != nil || !errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			continue
		}
		points, _ := os.ReadDir(dir)
		for _, p := range points {
			os.Remove(filepath.Join(dir, p.Name()))
		}
		os.Remove(dir)
	}
}
