package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// A daemon is this program again, in a session of its own. Its starter waits
// for one line from it, through a pipe: that it serves, or why it cannot. So
// the starter's exit code is true, and the pid file is there when it returns.

// readyVariable tells the daemon the descriptor of the pipe.
const readyVariable = "_GEARBOLT_READY"

const serving = "serving\n"

func isDaemon() bool { return os.Getenv(readyVariable) != "" }

// daemonize starts the daemon and waits until it serves. Standard error stays
// open only if it is the log, so that nobody waits for its end in vain.
func daemonize(args []string, logFile string, stderr io.Writer) int {
	r, w, err := os.Pipe()
	if err != nil {
		return fail(args, stderr, err)
	}
	defer r.Close()
	exe, err := os.Executable()
	if err != nil {
		return fail(args, stderr, err)
	}
	cmd := &exec.Cmd{
		Path:        exe,
		Args:        args,
		Env:         append(os.Environ(), readyVariable+"=3"),
		ExtraFiles:  []*os.File{w},
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if logFile == "stderr" {
		cmd.Stderr = os.Stderr
	}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return fail(args, stderr, err)
	}
	said, _ := io.ReadAll(r) // an error is a silent daemon
	if string(said) == serving {
		return exitOK
	}
	return failedDaemon(args, cmd, strings.TrimSpace(string(said)), stderr)
}

// failedDaemon passes on what the daemon said before it ended.
func failedDaemon(args []string, cmd *exec.Cmd, said string, stderr io.Writer) int {
	err := cmd.Wait()
	if said == "" {
		said = fmt.Sprintf("the daemon ended before it served: %v", err)
	}
	fail(args, stderr, fmt.Errorf("%s", said))
	return max(cmd.ProcessState.ExitCode(), exitUsage)
}

// A starter is who waits to hear how the start went: the process that made
// this one a daemon, or whoever reads standard error.
type starter struct {
	pipe   *os.File // nil: no daemon
	args   []string
	stderr io.Writer
}

func starterOf(args []string, stderr io.Writer) starter {
	s := starter{args: args, stderr: stderr}
	if isDaemon() {
		s.pipe = os.NewFile(3, "starter")
		syscall.CloseOnExec(3)
	}
	return s
}

func (s starter) ready() {
	if s.pipe != nil {
		io.WriteString(s.pipe, serving)
		s.pipe.Close()
	}
}

func (s starter) failed(err error) int {
	if s.pipe == nil {
		return fail(s.args, s.stderr, err)
	}
	fmt.Fprintln(s.pipe, err)
	s.pipe.Close()
	return exitUsage
}
