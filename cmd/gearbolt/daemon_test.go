package main

import (
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A background is a daemon under test, with all that it writes in one
// directory.
type background struct{ dir, addr, pidFile, log string }

func newBackground(t *testing.T) *background {
	dir := t.TempDir()
	return &background{dir, freeAddress(t), filepath.Join(dir, "pid"), filepath.Join(dir, "log")}
}

// start runs the starter to its end. All that it promises holds from then on.
func (b *background) start(t *testing.T, args ...string) (pid int) {
	t.Helper()
	base := []string{"gearbolt", "--daemon", "--listen", b.addr, "--pid-file", b.pidFile, "--log-file", b.log, "--data-dir", filepath.Join(b.dir, "data")}
	stdout, stderr, code := output(t, append(base, args...)...)
	if code != exitOK || stdout+stderr != "" {
		t.Fatalf("got %q, %q, %d", stdout, stderr, code)
	}
	pid = readPID(t, b.pidFile)
	t.Cleanup(func() {
		if p, err := os.FindProcess(pid); err == nil {
			p.Kill()
		}
	})
	if got := ask(b.addr, "getpid"); got != "OK "+strconv.Itoa(pid)+"\n" {
		t.Fatalf("the daemon answers %q, its pid file says %d", got, pid)
	}
	return pid
}

func TestDaemonServesBeforeItsStarterReturns(t *testing.T) {
	b := newBackground(t)
	pid := b.start(t)
	if session, err := syscall.Getpgid(pid); err != nil || session != pid {
		t.Errorf("the daemon's group is %d, %v; want its own", session, err)
	}
	syscall.Kill(pid, syscall.SIGTERM)
	awaitDeath(t, pid)
	if _, err := os.Stat(b.pidFile); !os.IsNotExist(err) {
		t.Errorf("the pid file is still there: %v", err)
	}
	if log, err := os.ReadFile(b.log); err != nil || !strings.Contains(string(log), "stopped") {
		t.Errorf("got log %q, %v", log, err)
	}
}

// A starter that is asked for its output returns although the daemon lives.
func TestDaemonLetsGoOfItsStartersOutput(t *testing.T) {
	b := newBackground(t)
	host, port, _ := net.SplitHostPort(b.addr)
	cmd := command("gearmand", "-d", "--listen="+host, "--port="+port, "--pid-file="+b.pidFile, "--log-file="+b.log)
	cmd.Env = append(cmd.Env, "GEARBOLT_DATA_DIR="+b.dir+"/data")
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("got %q, %v", out, err)
	}
	pid := readPID(t, b.pidFile)
	syscall.Kill(pid, syscall.SIGINT)
	awaitDeath(t, pid)
}

func TestDaemonBecomesAnotherUser(t *testing.T) {
	nobody, err := user.Lookup("nobody")
	if os.Geteuid() != 0 || err != nil {
		t.Skip("only root can become nobody")
	}
	b := newBackground(t)
	reachable(t, b.dir)
	pid := b.start(t, "--user", "nobody")
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil || !strings.Contains(string(status), "Uid:\t"+nobody.Uid+"\t"+nobody.Uid+"\t"+nobody.Uid+"\t") {
		t.Errorf("got status %s, %v", status, err)
	}
	for _, path := range []string{b.log, filepath.Join(b.dir, "data")} {
		out, err := exec.Command("stat", "-c", "%U", path).Output()
		if err != nil || string(out) != "nobody\n" {
			t.Errorf("%s belongs to %q, %v", path, out, err)
		}
	}
	syscall.Kill(pid, syscall.SIGTERM)
	awaitDeath(t, pid)
}

// reachable lets every user pass through a test's directory.
func reachable(t *testing.T, dir string) {
	t.Helper()
	for ; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
