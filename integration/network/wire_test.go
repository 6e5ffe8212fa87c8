package network

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The addresses of the two ends.
const (
	near = "10.99.0.1" // the server's, in the namespace of this process
	far  = "10.99.0.2" // the peers', in one that is theirs
)

// A wire leads from the server to its peers.
type wire struct {
	t   *testing.T
	far *os.File // the namespace of the peers
}

// layWire makes both ends, and lets all through.
func layWire(t *testing.T) *wire {
	t.Helper()
	need(t)
	w := &wire{t: t, far: newNamespace(t)}
	ns := fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), w.far.Fd())
	w.here("ip link set lo up")
	w.here("ip link add near type veth peer name far netns " + ns)
	t.Cleanup(func() { w.here("ip link del near") })
	w.here("ip addr add " + near + "/24 dev near")
	w.here("ip link set near up")
	w.there("ip link set lo up")
	w.there("ip addr add " + far + "/24 dev far")
	w.there("ip link set far up")
	if err := w.rules(""); errors.Is(err, errNoRules) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	return w
}

// newNamespace makes a network namespace. It lives as long as the file, and what
// is in it.
func newNamespace(t *testing.T) *os.File {
	t.Helper()
	made := make(chan *os.File)
	go func() {
		defer close(made)
		runtime.LockOSThread() // and never let go: the thread ends with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Errorf("unshare: %v", err)
			return
		}
		f, err := os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
		if err != nil {
			t.Error(err)
			return
		}
		made <- f
	}()
	f, ok := <-made
	if !ok {
		t.FailNow()
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// inside calls f in the namespace of the peers. What it opens, or starts, stays
// there.
func (w *wire) inside(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never let go
		if err := unix.Setns(int(w.far.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}

func (w *wire) here(command string) {
	w.t.Helper()
	if err := run(command, ""); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wire) there(command string) {
	w.t.Helper()
	if err := w.inside(func() error { return run(command, "") }); err != nil {
		w.t.Fatal(err)
	}
}

func run(command, stdin string) error {
	_, err := output(command, stdin)
	return err
}

func output(command, stdin string) (string, error) {
	words := strings.Fields(command)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	if path, err := exec.LookPath("/usr/sbin/" + words[0]); cmd.Err != nil && err == nil {
		cmd.Path, cmd.Err = path, nil
	}
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", command, err, out)
	}
	return string(out), nil
}

// errNoRules is a kernel that has no nftables, or not for us.
var errNoRules = errors.New("nftables do not work here")

// rules says what is to be dropped at both ends, where it arrives, as one rule:
// "" is nothing.
func (w *wire) rules(rule string) error {
	chain := "table ip wire { chain arrives { type filter hook input priority 0; iifname != lo " + rule + "; }; }\n"
	if rule == "" {
		chain = ""
	}
	set := func() error { return run("nft -f -", "add table ip wire\ndelete table ip wire\n"+chain) }
	if err := errors.Join(set(), w.inside(set)); err != nil {
		if strings.Contains(err.Error(), "not supported") || strings.Contains(err.Error(), "not permitted") {
			return fmt.Errorf("%w: %v", errNoRules, err)
		}
		return err
	}
	return nil
}

// drop drops what a rule matches, until it is told otherwise.
func (w *wire) drop(match string) {
	w.t.Helper()
	if err := w.rules(match + " counter drop"); err != nil {
		w.t.Fatal(err)
	}
}

// lose drops one packet in a hundred, or more.
func (w *wire) lose(percent int) {
	w.t.Helper()
	w.drop(fmt.Sprintf("meta l4proto tcp numgen random mod 100 < %d", percent))
}

// heal lets all through, and returns how many packets were dropped.
func (w *wire) heal() (dropped int) {
	w.t.Helper()
	count := func() error {
		s, err := output("nft list table ip wire", "")
		for _, n := range regexp.MustCompile(`counter packets (\d+)`).FindAllStringSubmatch(s, -1) {
			i, _ := strconv.Atoi(n[1])
			dropped += i
		}
		return err
	}
	if err := errors.Join(count(), w.inside(count), w.rules("")); err != nil {
		w.t.Fatal(err)
	}
	return dropped
}

// dial connects a peer to the server.
func (w *wire) dial(addr string, timeout time.Duration) (c net.Conn, err error) {
	err = w.inside(func() error {
		c, err = net.DialTimeout("tcp", addr, timeout)
		return err
	})
	return c, err
}
