package work

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A Guard is a process that outlives this one by a moment and then kills what
// is left of the jobs' processes. It knows them in two ways, each of which
// covers what the other misses: by the process groups that it is told of, and
// by an environment variable, which also a process has that was begun in the
// last moment, or that left its group. A nil Guard does nothing.
type Guard struct {
	mark string // NAME=value

	mu  sync.Mutex
	cmd *exec.Cmd
	in  *os.File
}

const markName = "GEARMAN_JOB_GUARD"

// NewGuard starts a guard; command is what calls [Watch] in a process of its
// own. The guard has a process group of its own, so that a terminal's signals
// do not reach it.
func NewGuard(command ...string) (*Guard, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	g := &Guard{mark: markName + "=" + rand.Text(), cmd: exec.Command(command[0], command[1:]...), in: w}
	g.cmd.Stdin = r
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := g.cmd.Start(); err != nil {
		w.Close()
		return nil, fmt.Errorf("the guard of the processes cannot be started: %w", err)
	}
	g.say("%s\n", g.mark)
	return g, nil
}

func (g *Guard) watch(group int)  { g.say("+ %d\n", group) }
func (g *Guard) forget(group int) { g.say("- %d\n", group) }

// say tells the guard something. A guard that somebody killed cannot be told,
// and work goes on without.
func (g *Guard) say(format string, what any) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	fmt.Fprintf(g.in, format, what)
}

// environment is this process's own, with the guard's mark and what names the
// job.
func (g *Guard) environment(more ...string) []string {
	if g != nil {
		more = append(more, g.mark)
	}
	return append(os.Environ(), more...)
}

// Close ends the guard, and whom it still knows.
func (g *Guard) Close() error {
	g.in.Close()
	return g.cmd.Wait()
}

// Watch is the guard's side: it reads what say writes, and at the end kills
// whom it knows. Nothing but the end ends it.
func Watch(r io.Reader) {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGPIPE)
	lines := bufio.NewScanner(r)
	if !lines.Scan() {
		return
	}
	mark := lines.Text()
	groups := make(map[int]bool)
	for lines.Scan() {
		sign, number, _ := strings.Cut(lines.Text(), " ")
		group, err := strconv.Atoi(number)
		switch {
		case err != nil || group < 2:
		case sign == "+":
			groups[group] = true
		default:
			delete(groups, group)
		}
	}
	for group := range groups {
		syscall.Kill(-group, syscall.SIGKILL)
	}
	for killMarked(mark) {
		time.Sleep(time.Millisecond) // the dead take a moment to go
	}
}

// killMarked kills the processes with a mark, and reports whether there were
// any: those may have begun others meanwhile.
func killMarked(mark string) (any bool) {
	proc, err := os.ReadDir("/proc")
	if err != nil {
		return false
	}
	for _, entry := range proc {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || !marked(pid, mark) {
			continue
		}
		any = syscall.Kill(pid, syscall.SIGKILL) == nil || any
	}
	return any
}

// marked looks into a process's environment. A dead one has none.
func marked(pid int, mark string) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return err == nil && bytes.Contains(append([]byte{0}, b...), []byte("\x00"+mark+"\x00"))
}
