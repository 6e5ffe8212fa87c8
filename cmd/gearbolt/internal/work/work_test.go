package work

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gearbolt/clients"
)

// The test binary is the guard, a process that stays, and a worker that dies,
// too.
const role = "WORK_TEST_ROLE"

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "guard":
		Watch(os.Stdin)
	case len(os.Args) == 2 && os.Args[1] == "resident":
		reside()
	case os.Getenv(role) == "worker":
		dyingWorker()
	default:
		os.Exit(m.Run())
	}
}

// patience bounds what a test waits for. Nothing comes near it.
const patience = 20 * time.Second

// A listener remembers what is said about a job.
type listener struct {
	mu   sync.Mutex
	said []string
}

func (l *listener) add(format string, args ...any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = append(l.said, fmt.Sprintf(format, args...))
	return nil
}

func (l *listener) Data(b []byte) error            { return l.add("data %s", b) }
func (l *listener) Warning(b []byte) error         { return l.add("warning %s", b) }
func (l *listener) Progress(done, of uint64) error { return l.add("progress %d/%d", done, of) }
func (l *listener) task(payload string) task       { return task{"f", "H:x:1", "u", []byte(payload), l} }
func shell(script string) []string                 { return []string{"/bin/sh", "-c", script} }
func options(command []string) Options {
	return Options{Command: command, Grace: patience, Limit: 1 << 20}
}
func perJob(script string) *PerJob                  { return &PerJob{options(shell(script))} }
func (l *listener) all() string                     { return strings.Join(l.said, "") }
func text(result []byte, err error) (string, error) { return string(result), err }

func TestResult(t *testing.T) {
	var l listener
	p := &PerJob{options([]string{"wc", "-c"})}
	if got, err := text(p.do(t.Context(), l.task("hello"))); got != "5\n" || err != nil || l.said != nil {
		t.Errorf("got %q, %v, %q", got, err, l.said)
	}
	got, err := text(perJob("echo $GEARMAN_JOB_FUNCTION $GEARMAN_JOB_HANDLE $GEARMAN_JOB_UNIQUE").do(t.Context(), l.task(strings.Repeat("x", 1<<20))))
	if got != "f H:x:1 u\n" || err != nil {
		t.Errorf("a command that does not read: got %q, %v", got, err)
	}
}

func TestOutcomes(t *testing.T) {
	for script, want := range map[string]string{
		"exit 3":                         "the function failed: exit status 3",
		"echo a >&2; echo b >&2; exit 2": "exception: exit status 2: b",
		"kill -9 $$":                     "exception: signal: killed",
		"head -c 2000000 /dev/zero":      "exception: the output exceeds 1048576 bytes",
	} {
		_, err := perJob(script).do(t.Context(), new(listener).task(""))
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v", script, err)
		}
	}
	if _, err := perJob("exit 1").do(t.Context(), new(listener).task("")); !errors.Is(err, clients.ErrFailed) {
		t.Errorf("got %v", err)
	}
	_, err := (&PerJob{options([]string{"/nonexistent"})}).do(t.Context(), new(listener).task(""))
	if err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("got %v", err)
	}
}

func TestReports(t *testing.T) {
	var l listener
	got, err := text(perJob("echo one >&2; echo 3/10 >&3; printf two >&2; echo done").do(t.Context(), l.task("")))
	if got != "done\n" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	for _, want := range []string{"warning one\n", "progress 3/10", "warning two\n"} {
		if !strings.Contains(l.all(), want) {
			t.Errorf("%q is not among %q", want, l.said)
		}
	}
}

// The time is enough for a shell on a busy machine to come as far as its sleep.
func TestTimeEndsTheGroup(t *testing.T) {
	t.Parallel()
	pids := filepath.Join(t.TempDir(), "pids")
	p := perJob("trap '' TERM; sleep 1000 & echo $! >" + pids + "; sleep 1000")
	p.Timeout, p.Grace = 4*time.Second, 10*time.Millisecond
	_, err := p.do(t.Context(), new(listener).task(""))
	if err == nil || err.Error() != "exception: not done in 4s" {
		t.Errorf("got %v", err)
	}
	awaitDeath(t, readPID(t, pids))
}

func TestGraceIsEnough(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ready := filepath.Join(t.TempDir(), "ready")
	p := perJob("trap 'echo bye >&2; exit 1' TERM; echo $$ >" + ready + "; while :; do sleep 0.01; done")
	go func() {
		await(t, ready)
		cancel()
	}()
	var l listener
	if _, err := p.do(ctx, l.task("")); !errors.Is(err, context.Canceled) || !strings.Contains(l.all(), "warning bye\n") {
		t.Errorf("got %v, %q", err, l.said)
	}
}

// A background process of a command that has ended is not waited for, and is
// killed.
func TestStragglersAreKilled(t *testing.T) {
	var l listener
	got, err := text(perJob("sleep 1000 & echo $!").do(t.Context(), l.task("")))
	pid, convErr := strconv.Atoi(strings.TrimSpace(got))
	if err != nil || convErr != nil {
		t.Fatalf("got %q, %v", got, err)
	}
	awaitDeath(t, pid)
}

// dyingWorker runs a job until it is killed.
func dyingWorker() {
	guard, err := NewGuard("/proc/self/exe", "guard")
	if err != nil {
		panic(err)
	}
	p := perJob(os.Getenv("SCRIPT"))
	p.Guard = guard
	p.do(context.Background(), new(listener).task(""))
}

func TestSuddenDeathLeavesNobody(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pids")
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), role+"=worker", "SCRIPT=sleep 1000 & echo $$ $! >"+pids+"; wait")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, pids)
	b, _ := os.ReadFile(pids)
	cmd.Process.Kill()
	cmd.Wait()
	for _, word := range strings.Fields(string(b)) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		awaitDeath(t, pid)
	}
}

// await waits until a file has a whole line.
func await(t *testing.T, path string) {
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if b, _ := os.ReadFile(path); bytes.HasSuffix(b, []byte("\n")) {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%s does not come about", path)
			return
		}
	}
}

func readPID(t *testing.T, path string) int {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// awaitDeath waits for a process that is not our child.
func awaitDeath(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, syscall.ESRCH) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	n, err := 0, error(unix.EINTR)
	for err == unix.EINTR {
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(patience.Milliseconds()))
	}
	if n != 1 {
		t.Fatalf("process %d lives on: %v", pid, err)
	}
}
