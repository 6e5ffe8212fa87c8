package peers

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

// inside tells the test binary that it runs in a network of its own.
const inside = "PEERS_INSIDE"

// network runs a test in a network of its own, which can be switched off.
func network(t *testing.T, test func(t *testing.T)) {
	if os.Getenv(inside) != "" {
		switchNetwork(t, true)
		test(t)
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can make a network for the test")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inside+"=1", "GEARBOLT_BINARY="+harness.Binary(t))
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	out, err := cmd.CombinedOutput()
	for _, why := range []error{unix.EPERM, unix.EINVAL, unix.ENOSPC} {
		if errors.Is(err, why) {
			t.Skipf("no network can be made for the test: %v", err)
		}
	}
	if t.Logf("%s", out); err != nil {
		t.Fatal(err)
	}
}

// switchNetwork switches the loopback device on or off. What is sent meanwhile
// is lost, and nobody hears that it is.
func switchNetwork(t *testing.T, on bool) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	if on {
		lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		t.Fatal(err)
	}
}

// launchReachable starts a server that those who behave reach without the
// network.
func launchReachable(t *testing.T, args ...string) *stage {
	path := filepath.Join(t.TempDir(), "socket")
	s := launch(t, append(args, "--listen", "unix:"+path)...)
	s.dial = func() (net.Conn, error) { return net.Dial("unix", path) }
	return s
}

const vanishing = 100

// lendJobs has workers take a job each. They, and as many who say nothing, are
// about to vanish.
func (s *stage) lendJobs() (workers []*judge.Line) {
	s.Helper()
	client := s.line()
	defer client.Close()
	for i := range vanishing {
		if _, err := client.Ask(protocol.JobCreated, protocol.SubmitJobBG, "lent", "", fmt.Sprint(i)); err != nil {
			s.Fatal(err)
		}
		w := judge.NewLine(s.bad())
		w.Send(protocol.CanDo, "lent")
		if _, err := w.Ask(protocol.JobAssign, protocol.GrabJob); err != nil {
			s.Fatal(err)
		}
		workers = append(workers, w)
		s.bad()
	}
	return workers
}

// Workers that vanish without a word are noticed, and their jobs are done by
// others, once. Where nobody asks whether they are there, nobody notices.
func TestVanishedPeers(t *testing.T) {
	network(t, func(t *testing.T) {
		s := launchReachable(t, "--keepalive-idle", "1s", "--keepalive-interval", "1s", "--keepalive-count", "2", "--tcp-user-timeout", "2s")
		control := launchReachable(t, "--keepalive=false", "--tcp-user-timeout", "0")
		lost := s.lendJobs()
		control.lendJobs()
		s.beside(func() {
			switchNetwork(t, false)
			s.await("those who have vanished are gone", func() bool { return s.connected() == 2 }) // the pair
		})
		if total, running := control.function("lent"); total != vanishing || running != vanishing {
			t.Errorf("without keep-alive %d jobs of %d run", running, total)
		}
		switchNetwork(t, true)
		for _, w := range lost {
			w.Send(protocol.WorkComplete, "H:1", "too late")
			w.Flush()
		}
		s.returned()
		s.settles()
	})
}

// returned checks that all jobs are there, have been lost once, and are given
// out once.
func (s *stage) returned() {
	s.Helper()
	l := s.line()
	defer l.Close()
	jobs, err := l.List("show jobs")
	if err != nil || len(jobs) != vanishing {
		s.Fatalf("%d jobs are there, %v", len(jobs), err)
	}
	for _, j := range jobs {
		if f := strings.Split(j, "\t"); f[1] != "1" {
			s.Errorf("job %q was not lost once", j)
		}
	}
	l.Send(protocol.CanDo, "lent")
	done := make(map[string]bool)
	for range vanishing {
		args, err := l.Ask(protocol.JobAssign, protocol.GrabJob)
		if err != nil {
			s.Fatal(err)
		}
		done[args[2]] = true
		l.Send(protocol.WorkComplete, args[0], "")
	}
	if _, err := l.Ask(protocol.NoJob, protocol.GrabJob); err != nil || len(done) != vanishing {
		s.Errorf("%d different jobs were given out, and then %v", len(done), err)
	}
}
