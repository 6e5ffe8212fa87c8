package network

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gearbolt/integration/harness"
	"gearbolt/integration/harness/process"
)

var (
	span = flag.Duration("span", 2*time.Second, "how long each fault lasts")
	hole = flag.Duration("hole", 4*time.Second, "how long nothing gets through, again and again")
)

// insideEnv names the directory that the process was started from in a network
// namespace of its own.
const insideEnv = "TEST_GEARBOLT_NETWORK"

// noNamespace is why it has none.
var noNamespace error

func TestMain(m *testing.M) {
	if os.Getenv(insideEnv) == "" && os.Geteuid() == 0 {
		noNamespace = enter()
	}
	code := m.Run()
	if dir := os.Getenv(insideEnv); dir != "" {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// enter starts the program once more, as the same process in a new network
// namespace. The server is built before: there is nothing to download from in
// there. It returns only if it fails.
func enter() error {
	runtime.LockOSThread() // the namespace is the thread's until exec
	defer runtime.UnlockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	dir, err := os.MkdirTemp("", "gearbolt-network-")
	if err != nil {
		return err
	}
	env := append(os.Environ(), insideEnv+"="+dir)
	if os.Getenv("GEARBOLT_BINARY") == "" {
		bin, err := process.Build(dir)
		if err != nil {
			return err
		}
		env = append(env, "GEARBOLT_BINARY="+bin)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(self, os.Args, env)
}

// need skips the test where there can be no network of its own.
func need(t *testing.T) {
	t.Helper()
	switch {
	case os.Geteuid() != 0:
		t.Skip("only root may make networks")
	case noNamespace != nil:
		t.Skipf("no network namespace: %v", noNamespace)
	}
	harness.Need(t, "ip", "tc", "nft")
}
