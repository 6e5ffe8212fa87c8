package dropin

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience bounds what a test waits for. Nothing comes near it.
const patience = 20 * time.Second

// asUser prepares a command as systemd starts a service with User=name.
func asUser(t *testing.T, name string, argv []string, environ ...string) *exec.Cmd {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	c, err := credential(name)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = "/"
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + u.HomeDir, "LOGNAME=" + name, "USER=" + name}, environ...)
	if os.Geteuid() == int(c.Uid) {
		return cmd
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c}
	return cmd
}

// ask sends one line of the admin protocol to the address and returns the
// first line of the answer, or "".
func ask(addr, line string) string {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return ""
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(c, "%s\n", line)
	answer, _ := bufio.NewReader(c).ReadString('\n')
	return answer
}

// wantServing checks that the process of the pid file answers at addr.
func wantServing(t *testing.T, pidFile, addr string) (pid int) {
	t.Helper()
	b, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	if pid, err = strconv.Atoi(strings.TrimSpace(string(b))); err != nil {
		t.Fatal(err)
	}
	if got := ask(addr, "getpid"); got != fmt.Sprintf("OK %d\n", pid) {
		t.Fatalf("%s answers %q, the pid file says %d", addr, got, pid)
	}
	return pid
}

// stop ends a process as systemd does, and waits for its end.
func stop(t *testing.T, pid int) {
	t.Helper()
	ending(t, pid, func() {
		if err := unix.Kill(pid, unix.SIGTERM); err != nil {
			t.Fatal(err)
		}
	})
}

// ending waits for the end of a process, perhaps not our child, that end
// brings about.
func ending(t *testing.T, pid int, end func()) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	end()
	n, err := 0, error(unix.EINTR) // Go's runtime sends its threads signals
	for err == unix.EINTR {
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(patience.Milliseconds()))
	}
	if n != 1 {
		t.Fatalf("process %d lives on: %v", pid, err)
	}
}

// submitBackground hands in one background job for function f.
func submitBackground(t *testing.T, addr string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	body := "f\x00\x00x"
	fmt.Fprintf(c, "\x00REQ\x00\x00\x00\x12\x00\x00\x00%c%s", len(body), body)
	head := make([]byte, 12)
	if _, err := io.ReadFull(c, head); err != nil || head[7] != 8 {
		t.Fatalf("got %q, %v, want JOB_CREATED", head, err)
	}
}

func wantNoFile(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", path, err)
	}
}

func wantOwner(t *testing.T, path, name string) {
	t.Helper()
	if out, err := exec.Command("stat", "-c", "%U", path).Output(); err != nil || string(out) != name+"\n" {
		t.Errorf("%s belongs to %q, %v; want %s", path, out, err, name)
	}
}
