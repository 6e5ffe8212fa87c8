// Package dropin starts our binary the way that installations start gearmand:
// with their own unit files, scripts and command lines, word for word, and
// under gearmand's path.
package dropin

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"gearbolt/integration/harness"
)

// inside tells the test binary that it runs in a machine of its own.
const inside = "DROPIN_INSIDE"

const gearmandPath = "/usr/sbin/gearmand"

// machine runs a test in a machine of its own: with its own network, so that
// port 4730 is free, its own processes, so that none outlives the test, and
// its own mounts, so that our binary can lie at gearmand's path and nothing is
// left in /run, /var/lib and /var/log.
func machine(t *testing.T, test func(t *testing.T)) {
	if os.Getenv(inside) != "" {
		furnish(t)
		test(t)
		return
	}
	harness.Need(t, "gearmand")
	if os.Geteuid() != 0 {
		t.Skip("only root can make a machine for the test")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inside+"=1", "GEARBOLT_BINARY="+harness.Binary(t))
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID}
	out, err := cmd.CombinedOutput()
	for _, why := range []error{unix.EPERM, unix.EINVAL, unix.ENOSPC} {
		if errors.Is(err, why) {
			t.Skipf("no machine can be made for the test: %v", err)
		}
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// furnish sets the new machine up.
func furnish(t *testing.T) {
	t.Helper()
	steps := []error{
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount("proc", "/proc", "proc", 0, ""),
		unix.Mount("tmpfs", "/run", "tmpfs", 0, ""),
		unix.Mount("tmpfs", "/var/lib", "tmpfs", 0, "mode=755"),
		unix.Mount("tmpfs", "/var/log", "tmpfs", 0, "mode=755"),
		unix.Mount(harness.Binary(t), gearmandPath, "", unix.MS_BIND, ""),
		loopbackUp(),
		makeFor("gearman", "/var/lib/gearman"), // as Debian's package does
		makeFor("gearman", "/var/log/gearman-job-server"),
	}
	if err := errors.Join(steps...); err != nil {
		t.Fatal(err)
	}
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

func makeFor(name, dir string) error {
	c, err := credential(name)
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	return os.Chown(dir, int(c.Uid), int(c.Gid))
}

func credential(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("group of %s: %w", name, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
