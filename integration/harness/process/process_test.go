package process

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// The main thread of a process never ends: it is kept out of the tests' way.
func init() { runtime.LockOSThread() }

// A process lives on when the thread ends on which Start was called.
func TestOutlivesTheThreadThatStartedIt(t *testing.T) {
	type start struct {
		*Process
		thread int
		err    error
	}
	started := make(chan start)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		p, err := Start(exec.Command("sleep", "600"))
		started <- start{p, syscall.Gettid(), err}
	}()
	s := <-started
	if s.err != nil {
		t.Fatal(s.err)
	}
	defer s.Kill()
	awaitEnd(t, s.thread)
	if err := s.Wait(100 * time.Millisecond); s.Exited() {
		t.Errorf("the process ended with its thread: %v", err)
	}
}

// awaitEnd waits until a thread of this process is gone.
func awaitEnd(t *testing.T, thread int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", thread)); os.IsNotExist(err) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the thread does not end")
		}
	}
}
