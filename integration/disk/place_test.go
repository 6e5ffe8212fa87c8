package disk

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gearbolt/integration/device"
	"gearbolt/integration/harness"
	"gearbolt/integration/harness/process"
)

func TestMain(m *testing.M) { device.Main(m) }

// A place is where a server has its store, and can be full.
type place struct {
	dir string // the server's

	fill   func(t *testing.T, s *harness.Server) (free func())
	onDisk bool // it is the disk that is full, and not only for the process that runs
	shut   bool // when it is full, nothing at all can be written, completions neither
}

// storeFile is the store itself.
func (p *place) storeFile() string { return filepath.Join(p.dir, "gearbolt.db") }

// mounted is a place on a disk of so many bytes.
func mounted(t *testing.T, m *device.Mount, err error) *place {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Unmount(); err != nil {
			t.Error(err)
		}
	})
	p := &place{dir: filepath.Join(m.Dir, "data"), onDisk: true}
	p.fill = func(t *testing.T, _ *harness.Server) func() { return ballast(t, filepath.Join(m.Dir, "ballast")) }
	return p
}

func ext4Place(t *testing.T, size int64) *place {
	t.Helper()
	device.Need(t, "mkfs.ext4")
	im, err := device.Format(device.Ext4, size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { im.Close() })
	m, err := im.Mount()
	return mounted(t, m, err)
}

func tmpfsPlace(t *testing.T, size int64) *place {
	t.Helper()
	device.Need(t)
	m, err := device.Tmpfs(size)
	return mounted(t, m, err)
}

// memory returns a directory of which nothing reaches a disk.
func memory(t *testing.T) (dir string) {
	t.Helper()
	m, err := device.Tmpfs(512 << 20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Unmount(); err != nil {
			t.Error(err)
		}
	})
	return m.Dir
}

// ballast fills a disk with a file of somebody else's.
func ballast(t *testing.T, path string) (free func()) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 1<<20)
	for len(block) > 0 {
		if _, err := f.Write(block); errors.Is(err, unix.ENOSPC) {
			block = block[:len(block)/2]
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

// limitedPlace lets the server's files grow no more when it is full.
func limitedPlace(t *testing.T) *place {
	t.Helper()
	device.Need(t)
	p := &place{dir: memory(t)}
	p.fill = func(t *testing.T, s *harness.Server) func() {
		info, err := os.Stat(p.storeFile())
		if err != nil {
			t.Fatal(err)
		}
		limit := func(n uint64) {
			if err := unix.Prlimit(s.Cmd.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: n, Max: unix.RLIM_INFINITY}, nil); err != nil {
				t.Fatal(err)
			}
		}
		limit(uint64(info.Size()))
		return func() { limit(unix.RLIM_INFINITY) }
	}
	return p
}

// quotaPlace has every write to the store fail when it is full, as one beyond a
// quota does.
func quotaPlace(t *testing.T) *place {
	t.Helper()
	device.Need(t, "strace")
	p := &place{dir: memory(t), shut: true}
	p.fill = func(t *testing.T, s *harness.Server) func() {
		return inject(t, s, p.storeFile(), "pwrite64:error=EDQUOT")
	}
	return p
}

// inject has strace do something to system calls of a server on a file, until
// stop is called.
func inject(t *testing.T, s *harness.Server, path, what string) (stop func()) {
	t.Helper()
	call, _, _ := strings.Cut(what, ":")
	pid := s.Cmd.Process.Pid
	cmd := exec.Command("strace", "-f", "-o", "/dev/null", "-p", strconv.Itoa(pid), "-P", path, "-e", "trace="+call, "-e", "inject="+what)
	said := new(harness.Buffer)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	cmd.Stderr = said
	strace, err := process.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	harness.Await(t, "strace to trace the server", func() bool {
		if strace.Exited() && strings.Contains(said.String(), "Operation not permitted") {
			t.Skipf("strace may not trace the server: %s", said)
		}
		return traced(pid)
	})
	return func() {
		// A call that strace has changed when it began, and is not there for when
		// it ends, fails with ENOSYS, which is no full disk. So the server is to
		// be in none: its threads stop when their calls have ended.
		s.Signal(syscall.SIGSTOP)
		harness.Await(t, "the server to stop", func() bool { return stopped(pid) })
		strace.Signal(syscall.SIGTERM) // lets go of the server
		err := strace.Wait(patience)
		s.Signal(syscall.SIGCONT)
		if !strace.Exited() {
			t.Fatal(err)
		}
	}
}

// isStopped finds the state of a thread that is stopped, by a signal or by who
// traces it.
var isStopped = regexp.MustCompile(`(?m)^State:\t[Tt] `)

// stopped reports whether all threads of a process are stopped, and stay so: one
// that is traced is also found so for a moment when it begins a call.
func stopped(pid int) bool {
	for range 5 {
		if slices.ContainsFunc(threads(pid), func(status string) bool { return !isStopped.MatchString(status) }) {
			return false
		}
		time.Sleep(5 * time.Millisecond) // so that strace has its turn
	}
	return true
}

// traced reports whether all threads of a process are traced.
func traced(pid int) bool {
	all := threads(pid)
	return len(all) > 0 && !slices.ContainsFunc(all, func(status string) bool { return strings.Contains(status, "TracerPid:\t0\n") })
}

// threads is what the kernel tells of each thread of a process.
func threads(pid int) (all []string) {
	paths, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/status")
	for _, path := range paths {
		if b, err := os.ReadFile(path); err == nil {
			all = append(all, string(b))
		}
	}
	return all
}
