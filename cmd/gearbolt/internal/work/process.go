package work

import (
	"context"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A process leads a process group and does not outlive its parent.
type process struct {
	cmd    *exec.Cmd
	guard  *Guard
	exited chan struct{} // closed when it has ended and its group is killed
}

// stragglers is how long the pipes of a dead group may stay open: somebody who
// left the group may hold them.
const stragglers = time.Second

// begin starts cmd.
func begin(cmd *exec.Cmd, guard *Guard) (*process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = stragglers
	if err := fork(cmd); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, guard: guard, exited: make(chan struct{})}
	guard.watch(p.group())
	go p.reap()
	return p, nil
}

func (p *process) group() int { return p.cmd.Process.Pid }

// reap waits for the process's end and kills what is left of its group. Until
// the process is waited for, its number is not given to another.
func (p *process) reap() {
	for unix.Waitid(unix.P_PID, p.group(), nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	p.signal(syscall.SIGKILL)
	p.guard.forget(p.group())
	close(p.exited)
}

func (p *process) signal(s syscall.Signal) { syscall.Kill(-p.group(), s) }

// wait returns how the process ended. When ctx ends first, its group is told to
// end, and after grace made to.
func (p *process) wait(ctx context.Context, grace time.Duration) error {
	select {
	case <-p.exited:
	case <-ctx.Done():
		p.end(grace)
	}
	return p.cmd.Wait()
}

// end ends the group.
func (p *process) end(grace time.Duration) {
	p.signal(syscall.SIGTERM)
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-p.exited:
		return
	case <-t.C:
	}
	p.signal(syscall.SIGKILL)
	<-p.exited
}

// fork starts a command. PR_SET_PDEATHSIG counts from the thread that forks
// and not from its process, so there is one thread for that, which stays.
func fork(cmd *exec.Cmd) error {
	forker.start.Do(func() {
		forker.commands = make(chan forking)
		go func() {
			runtime.LockOSThread()
			for f := range forker.commands {
				f.err <- f.cmd.Start()
			}
		}()
	})
	f := forking{cmd, make(chan error, 1)}
	forker.commands <- f
	return <-f.err
}

type forking struct {
	cmd *exec.Cmd
	err chan error
}

var forker struct {
	start    sync.Once
	commands chan forking
}
