package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gearbolt/integration/harness"
)

// patience bounds what a test waits for. Nothing comes near it.
const patience = time.Minute

// A stage is a server and the command line, which finds it by its environment.
type stage struct {
	*testing.T
	server *harness.Server
}

// eachServer runs a test with our server and with Debian's.
func eachServer(t *testing.T, run func(s *stage)) {
	t.Run("gearbolt", func(t *testing.T) { run(&stage{t, harness.Gearbolt(t)}) })
	t.Run("gearmand", func(t *testing.T) { run(&stage{t, harness.Gearmand(t)}) })
}

func (s *stage) ours() bool { return s.server.Name == "gearbolt" }

func (s *stage) command(args ...string) *exec.Cmd {
	cmd := exec.Command(harness.Binary(s), args...)
	cmd.Env = append(os.Environ(), "GEARBOLT_SERVERS="+s.server.Addr)
	return cmd
}

// A result is what a command left.
type result struct {
	stdout, stderr string
	code           int
}

// run runs a command to its end.
func (s *stage) run(stdin string, args ...string) result {
	s.Helper()
	cmd := s.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	timer := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer timer.Stop()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// says fails the test unless the command ends with this.
func (s *stage) says(want result, stdin string, args ...string) {
	s.Helper()
	if got := s.run(stdin, args...); got.stdout != want.stdout || got.code != want.code || !strings.Contains(got.stderr, want.stderr) ||
		want.stderr == "" && got.stderr != "" {
		s.Errorf("gearbolt %s: got %+v, want %+v", strings.Join(args, " "), got, want)
	}
}

// works starts "gearbolt work" and waits until the server knows the function,
// which is the first argument.
func (s *stage) works(args ...string) *exec.Cmd {
	s.Helper()
	cmd := s.command(append([]string{"work"}, args...)...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	harness.Await(s, "the worker", func() bool {
		for _, f := range s.status() {
			if f.Function == args[0] && f.Workers > 0 {
				return true
			}
		}
		return false
	})
	return cmd
}

// A function is an element of "status -o json".
type function struct {
	Server, Function       string
	Jobs, Running, Workers int
	High, Normal, Low      int
	Limits                 *struct{ High, Normal, Low int }
}

func (s *stage) status(args ...string) (all []function) {
	s.Helper()
	s.list(&all, append([]string{"status"}, args...)...)
	return all
}

// list reads the output of a command as JSON.
func (s *stage) list(into any, args ...string) {
	s.Helper()
	r := s.run("", append(args, "-o", "json")...)
	if err := json.Unmarshal([]byte(r.stdout), into); err != nil || r.code != 0 {
		s.Fatalf("gearbolt %s -o json: %v, %+v", strings.Join(args, " "), err, r)
	}
}

// exits waits for a process's end and wants its exit code.
func (s *stage) exits(cmd *exec.Cmd, code int) {
	s.Helper()
	timer := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer timer.Stop()
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != code {
		s.Errorf("%s ended with %d, want %d", strings.Join(cmd.Args[1:], " "), got, code)
	}
}

// pids waits for a file of process numbers that a script has written.
func (s *stage) pids(path string) (words []string) {
	s.Helper()
	harness.Await(s, path, func() bool {
		b, _ := os.ReadFile(path)
		words = strings.Fields(string(b))
		return bytes.HasSuffix(b, []byte("\n"))
	})
	return words
}

// dies waits for the end of a process that is not our child.
func (s *stage) dies(pid int) {
	s.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, syscall.ESRCH) {
		return
	}
	if err != nil {
		s.Fatal(err)
	}
	defer unix.Close(fd)
	n, err := 0, error(unix.EINTR)
	for err == unix.EINTR {
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(patience.Milliseconds()))
	}
	if n != 1 {
		s.Errorf("process %d lives on: %v", pid, err)
	}
}
