// Package process builds our binary, and starts and ends servers, for whoever
// looks at them from outside: tests, by package harness, and programs.
package process

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Build builds our binary in dir and returns its path.
func Build(dir string) (bin string, err error) { return BuildCommand(dir, "gearbolt/cmd/gearbolt") }

// BuildCommand builds the command with that import path, under its name in dir.
func BuildCommand(dir, command string) (bin string, err error) {
	bin = filepath.Join(dir, path.Base(command))
	if out, err := exec.Command("go", "build", "-o", bin, command).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return bin, nil
}

// A Process is a running server.
type Process struct {
	cmd    *exec.Cmd
	exited chan struct{}
	err    error // once exited is closed
}

// Start starts cmd. It is killed when this process ends, however that comes
// about.
func Start(cmd *exec.Cmd) (*Process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	}
	started := make(chan error)
	parent() <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, exited: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// parent runs functions on a thread that lives as long as this process. The
// kernel takes the thread that has started a process for its parent, and kills
// the process (PR_SET_PDEATHSIG) when that thread ends: as it does when a
// goroutine ends that was locked to it, which may have nothing to do with the
// goroutine that was on it before.
var parent = sync.OnceValue(func() chan<- func() {
	all := make(chan func())
	go onOneThread(all)
	return all
})

func onOneThread(all <-chan func()) {
	runtime.LockOSThread()
	for f := range all {
		f()
	}
}

// AwaitReady dials again and again until the server answers the admin command
// "version". It fails when the process ends first, or after limit.
func (p *Process) AwaitReady(limit time.Duration, dial func() (net.Conn, error)) error {
	for deadline := time.Now().Add(limit); ; {
		version, err := ask(dial)
		if err == nil && strings.HasPrefix(version, "OK") {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("exited: %v", p.err)
		case <-time.After(5 * time.Millisecond): // asks again, rather than waits for a length of time
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not ready: %q, %v", version, err)
		}
	}
}

func ask(dial func() (net.Conn, error)) (string, error) {
	c, err := dial()
	if err != nil {
		return "", err
	}
	defer c.Close()
	return Version(c)
}

// Version asks the server at the other end of c for its version and returns
// the line of the answer.
func Version(c net.Conn) (string, error) {
	c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(c, "version\n"); err != nil {
		return "", err
	}
	return bufio.NewReader(c).ReadString('\n')
}

// Kill ends the server as a power cut would, with SIGKILL, and waits for it.
func (p *Process) Kill() {
	p.cmd.Process.Kill()
	<-p.exited
}

// Signal sends the process a signal.
func (p *Process) Signal(sig syscall.Signal) error { return p.cmd.Process.Signal(sig) }

// Exited reports whether the process has ended.
func (p *Process) Exited() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// Wait waits for the process to end by itself and returns its exit error.
func (p *Process) Wait(limit time.Duration) error {
	select {
	case <-p.exited:
		return p.err
	case <-time.After(limit):
		return fmt.Errorf("process %d still runs after %v", p.cmd.Process.Pid, limit)
	}
}
