// Package tracer runs a program and kills it at an exact point of its dealings
// with the system: when it is about to make its Nth system call of some kinds.
//
// The calls of all threads are counted together, which no count per thread can
// stand for: Go moves goroutines between threads. Everything that the program
// did before the Nth call has happened, and the call itself has not.
package tracer

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Trace is a program that is being traced.
type Trace struct {
	process *os.Process
	pid     int
	calls   map[uint64]bool
	nth     int
	count   int
	killed  bool
	done    chan struct{}
	err     error
}

// Start starts cmd, which is killed by SIGKILL when it is about to make its nth
// call of those that are listed by their numbers (unix.SYS_*); with 0 it is
// not, and its calls are only counted. Nobody else may wait for cmd.
func Start(cmd *exec.Cmd, nth int, calls ...uint64) (*Trace, error) {
	t := &Trace{calls: make(map[uint64]bool), nth: nth, done: make(chan struct{})}
	for _, c := range calls {
		t.calls[c] = true
	}
	started := make(chan error)
	go t.run(cmd, started)
	return t, <-started
}

// Done is closed when the program has ended, by whatever.
func (t *Trace) Done() <-chan struct{} { return t.done }

// Kill ends the program, unless it has ended, and waits for that. The number of
// a program that has ended may be another's by now: package os holds the program
// itself, where the system can (pidfd_open(2)), and the check spares it the
// question where it cannot.
func (t *Trace) Kill() {
	select {
	case <-t.done:
	default:
		t.process.Kill()
		<-t.done
	}
}

// Result says, once the program has ended, how many of the calls it has made or
// was about to make, and whether it was killed at the nth.
func (t *Trace) Result() (calls int, killed bool, err error) {
	<-t.done
	return t.count, t.killed, t.err
}

// run traces from one thread, as the system wants it.
func (t *Trace) run(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread() // and the thread ends with this goroutine
	defer close(t.done)
	err := t.start(cmd)
	started <- err
	if err == nil {
		t.err = t.follow()
	}
}

func (t *Trace) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	t.process, t.pid = cmd.Process, cmd.Process.Pid
	var s unix.WaitStatus
	if _, err := unix.Wait4(t.pid, &s, 0, nil); err != nil {
		return fmt.Errorf("wait for the start: %w", err)
	}
	if err := unix.PtraceSetOptions(t.pid, unix.PTRACE_O_TRACESYSGOOD|unix.PTRACE_O_TRACECLONE|unix.PTRACE_O_EXITKILL); err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	return t.resume(t.pid, 0)
}

// follow lets the threads run from call to call until the program has ended.
func (t *Trace) follow() error {
	for {
		var s unix.WaitStatus
		pid, err := unix.Wait4(-1, &s, unix.WALL|unix.WNOTHREAD, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("wait: %w", err)
		case pid == t.pid && (s.Exited() || s.Signaled()):
			return nil
		case !s.Stopped():
			continue // a thread has ended
		}
		if err := t.stopped(pid, s); err != nil {
			return err
		}
	}
}

// stopped deals with a thread that has stopped, and lets it go on.
func (t *Trace) stopped(pid int, s unix.WaitStatus) error {
	const systemCall = unix.SIGTRAP | 0x80
	switch sig := s.StopSignal(); {
	case sig == systemCall:
		if err := t.systemCall(pid); err != nil {
			return err
		}
		return t.resume(pid, 0)
	case sig == unix.SIGTRAP, sig == unix.SIGSTOP:
		return t.resume(pid, 0) // a thread is born
	default:
		return t.resume(pid, sig)
	}
}

func (t *Trace) resume(pid int, sig unix.Signal) error {
	if err := unix.PtraceSyscall(pid, int(sig)); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("resume thread %d: %w", pid, err)
	}
	return nil
}

// systemCall counts a thread's entry into a system call.
func (t *Trace) systemCall(pid int) error {
	info, err := callInfo(pid)
	if errors.Is(err, unix.ESRCH) {
		return nil
	} else if err != nil {
		return fmt.Errorf("look at thread %d: %w", pid, err)
	}
	if t.killed || info.op != atEntry || !t.calls[info.number] {
		return nil
	}
	if t.count++; t.count == t.nth {
		t.killed = true
		return unix.Kill(t.pid, unix.SIGKILL)
	}
	return nil
}

// info is the head of struct ptrace_syscall_info of ptrace(2), for an entry.
type info struct {
	op     uint8
	_      [3 + 4]uint8 // the architecture
	_      [2]uint64    // instruction and stack pointers
	number uint64
	_      [8]uint64 // arguments, and what the kernel may add
}

const (
	getSyscallInfo = 0x420e // PTRACE_GET_SYSCALL_INFO
	atEntry        = 1      // PTRACE_SYSCALL_INFO_ENTRY
)

func callInfo(pid int) (i info, err error) {
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, getSyscallInfo, uintptr(pid), unsafe.Sizeof(i), uintptr(unsafe.Pointer(&i)), 0, 0)
	if errno != 0 {
		err = errno
	}
	return i, err
}
