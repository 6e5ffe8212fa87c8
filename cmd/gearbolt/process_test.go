package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test binary is the program, too: TestMain runs main when this variable
// is set, which a daemon inherits.
const runMain = "RUN_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(runMain) != "" {
		main()
	}
	os.Exit(m.Run())
}

// patience bounds what a test waits for. Nothing comes near it.
const patience = 20 * time.Second

// command prepares the program under the name and with the arguments given,
// with an environment of its own.
func command(args ...string) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return &exec.Cmd{Path: exe, Args: args, Env: []string{runMain + "=1", "PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "GORACE=atexit_sleep_ms=0"}}
}

// output runs the program to its end.
func output(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// A program is a running server.
type program struct {
	t    *testing.T
	cmd  *exec.Cmd
	addr string
	dir  string // the data directory
	log  string // the log's path
	end  chan struct{}
	code int // once end is closed
}

// begin starts "gearbolt" on a free port and waits until it answers.
func begin(t *testing.T, args ...string) *program {
	t.Helper()
	return beginIn(t, t.TempDir(), args...)
}

func beginIn(t *testing.T, dir string, args ...string) *program {
	t.Helper()
	p := &program{t: t, addr: freeAddress(t), dir: filepath.Join(dir, "data"), log: filepath.Join(dir, "log"), end: make(chan struct{})}
	p.cmd = command(append([]string{"gearbolt", "--listen", p.addr, "--data-dir", p.dir, "--log-file", p.log}, args...)...)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.cmd.Wait()
		p.code = p.cmd.ProcessState.ExitCode()
		close(p.end)
	}()
	t.Cleanup(func() { p.cmd.Process.Kill(); <-p.end })
	p.await("the answer to version", func() bool { return strings.HasPrefix(ask(p.addr, "version"), "OK ") })
	return p
}

// freeAddress returns a loopback address on which nothing listens. It is none
// of 127.0.0.1: there any outgoing connection of the machine might take the port
// before the program does, and one to a port that is closed even reach itself.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", fmt.Sprintf("127.%d.%d.%d:0", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254)))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// await asks again and again whether something has happened.
func (p *program) await(what string, happened func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); !happened(); {
		if time.Now().After(deadline) {
			p.t.Fatalf("waited in vain for %s; log:\n%s", what, p.logged())
		}
		select {
		case <-p.end:
			p.t.Fatalf("ended with %d before %s; log:\n%s", p.code, what, p.logged())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (p *program) logged() string {
	b, _ := os.ReadFile(p.log)
	return string(b)
}

func (p *program) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// wantExit waits for the program's end.
func (p *program) wantExit(code int) {
	p.t.Helper()
	select {
	case <-p.end:
		if p.code != code {
			p.t.Errorf("ended with %d, want %d; log:\n%s", p.code, code, p.logged())
		}
	case <-time.After(patience):
		p.t.Fatalf("does not end; log:\n%s", p.logged())
	}
}

// ask sends one line of the admin protocol and returns the first line of the
// answer, or "".
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

// A peer is a connection that speaks packets.
type peer struct {
	t *testing.T
	net.Conn
}

func (p *program) dial() *peer {
	p.t.Helper()
	c, err := net.Dial("tcp", p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(patience))
	p.t.Cleanup(func() { c.Close() })
	return &peer{p.t, c}
}

func (c *peer) send(kind byte, args ...string) {
	c.t.Helper()
	body := strings.Join(args, "\x00")
	head := []byte{0, 'R', 'E', 'Q', 0, 0, 0, kind, 0, 0, 0, byte(len(body))}
	if _, err := c.Write(append(head, body...)); err != nil {
		c.t.Fatal(err)
	}
}

// want reads one packet of that kind and returns its arguments.
func (c *peer) want(kind byte) []string {
	c.t.Helper()
	head := make([]byte, 12)
	if _, err := io.ReadFull(c, head); err != nil || head[7] != kind {
		c.t.Fatalf("got packet %v, %v; want number %d", head, err, kind)
	}
	body := make([]byte, head[11])
	if _, err := io.ReadFull(c, body); err != nil {
		c.t.Fatal(err)
	}
	return strings.Split(string(body), "\x00")
}

// Packet numbers.
const (
	canDo, grabJob, noop, submitJob      = 1, 9, 6, 7
	jobCreated, jobAssign, workComplete  = 8, 11, 13
	submitJobBackground, preSleep, noJob = 18, 4, 10
)

// runningJob makes a foreground job that a worker holds.
func (p *program) runningJob() (client, worker *peer, handle string) {
	client, worker = p.dial(), p.dial()
	worker.send(canDo, "f")
	client.send(submitJob, "f", "", "x")
	handle = client.want(jobCreated)[0]
	worker.send(grabJob)
	worker.want(jobAssign)
	return client, worker, handle
}

// awaitDeath waits for a process that is not our child.
func awaitDeath(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	n, err := 0, error(unix.EINTR) // Go's runtime sends its threads signals
	for err == unix.EINTR {
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(patience.Milliseconds()))
	}
	if n != 1 {
		t.Fatalf("process %d lives on: %v", pid, err)
	}
}

func readPID(t *testing.T, path string) int {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSuffix(string(b), "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
