package memory

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"gearbolt/integration/harness"
)

// A group is a control group with a limit on memory.
type group struct {
	dir  string
	peak string // the file that says how much it has used at most
}

// newGroup makes a group of limit bytes, of version 1 or 2 of cgroups.
func newGroup(t *testing.T, limit int64) group {
	t.Helper()
	name := fmt.Sprintf("gearbolt-%d-%d", os.Getpid(), time.Now().UnixNano())
	g, file := group{filepath.Join("/sys/fs/cgroup/memory", name), "memory.max_usage_in_bytes"}, "memory.limit_in_bytes"
	if _, err := os.Stat("/sys/fs/cgroup/memory"); err != nil {
		g, file = group{filepath.Join("/sys/fs/cgroup", name), "memory.peak"}, "memory.max"
	}
	err := os.Mkdir(g.dir, 0o755)
	if err == nil {
		t.Cleanup(func() { syscall.Rmdir(g.dir) })
		err = os.WriteFile(filepath.Join(g.dir, file), []byte(strconv.FormatInt(limit, 10)), 0o644)
	}
	if err == nil {
		_, err = os.Stat(filepath.Join(g.dir, g.peak)) // Linux before 5.19 has none in version 2
	}
	if err != nil {
		t.Skipf("the memory of a group of processes cannot be limited: %v", err)
	}
	// Where memory may be swapped out, the limit would slow a process down and
	// not kill it. Not every kernel counts swapped memory by groups.
	os.WriteFile(filepath.Join(g.dir, "memory.swap.max"), []byte("0"), 0o644)
	os.WriteFile(filepath.Join(g.dir, "memory.swappiness"), []byte("0"), 0o644)
	return g
}

// start starts our server in the group. The variable that would tell it more
// about memory is not set.
func (g group) start(t *testing.T, args ...string) *harness.Server {
	t.Helper()
	addr := harness.FreeAddr(t)
	words := append([]string{"-c", `echo $$ > "$0" && exec "$@"`, filepath.Join(g.dir, "cgroup.procs"),
		harness.Binary(t), "serve", "--listen", addr, "--data-dir", t.TempDir()}, args...)
	cmd := exec.Command("/bin/sh", words...)
	cmd.Env = append(os.Environ(), "GOMEMLIMIT=off")
	return harness.Start(t, "gearbolt", addr, cmd)
}

// used is how much memory the group has used at most, the kernel's cache of its
// files included.
func (g group) used(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(g.dir, g.peak))
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
