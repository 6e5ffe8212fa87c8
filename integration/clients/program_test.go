package clients

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"gearbolt/integration/harness"
)

// patience is how long a test waits for anything that should happen. It is
// generous: machines are slow, and nothing is measured here.
const patience = 90 * time.Second

// A program is a running client or worker.
type program struct {
	t      testing.TB
	name   string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	lines  chan string // closed when the program has closed stdout
	errors harness.Buffer
}

// start runs a command until the end of the test.
func start(t testing.TB, name string, cmd *exec.Cmd) *program {
	t.Helper()
	p := &program{t: t, name: name, cmd: cmd, lines: make(chan string, 4096)}
	cmd.Stderr = &p.errors
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdin = stdin
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.read(bufio.NewReader(stdout))
	t.Cleanup(p.kill)
	return p
}

func (p *program) read(stdout *bufio.Reader) {
	defer close(p.lines)
	for {
		line, err := stdout.ReadString('\n')
		if err != nil {
			return
		}
		p.lines <- strings.TrimSuffix(line, "\n")
	}
}

// kill ends the program, and what it has started, with SIGKILL, as a crash
// would.
func (p *program) kill() {
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	for range p.lines {
	}
	p.cmd.Wait()
}

// say writes a line to the program's stdin.
func (p *program) say(format string, args ...any) {
	p.t.Helper()
	if _, err := fmt.Fprintf(p.stdin, format+"\n", args...); err != nil {
		p.t.Fatalf("%s: %v\n%s", p.name, err, p.errors.String())
	}
}

// next returns the next line of the program's stdout.
func (p *program) next() string {
	p.t.Helper()
	select {
	case line, ok := <-p.lines:
		if ok {
			return line
		}
		p.t.Fatalf("%s has ended\n%s", p.name, p.errors.String())
	case <-time.After(patience):
		p.t.Fatalf("%s says nothing\n%s", p.name, p.errors.String())
	}
	return ""
}

// expect fails the test unless the next line is the one given.
func (p *program) expect(line string) {
	p.t.Helper()
	if got := p.next(); got != line {
		p.t.Fatalf("%s says %s, want %s\n%s", p.name, short(got), short(line), p.errors.String())
	}
}

// ask sends a request and returns the answer.
func (p *program) ask(format string, args ...any) answer {
	p.t.Helper()
	p.say(format, args...)
	return p.answer()
}

// answer returns the lines of an answer up to its end.
func (p *program) answer() answer {
	p.t.Helper()
	var a answer
	for {
		line := p.next()
		if line == "end" {
			return a
		}
		a = append(a, line)
	}
}

// An answer is what a client said about one request, without the last line.
type answer []string

// events returns the answer without the line that tells the handle: some
// libraries cannot tell it, and others only at the end.
func (a answer) events() string {
	var kept []string
	for _, line := range a {
		if !strings.HasPrefix(line, "created ") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, ", ")
}

// handle returns the handle that the answer tells, or "".
func (a answer) handle() string {
	for _, line := range a {
		if h, ok := strings.CutPrefix(line, "created "); ok {
			return h
		}
	}
	return ""
}

func short(s string) string {
	if len(s) > 200 {
		return fmt.Sprintf("%.200q... (%d bytes)", s, len(s))
	}
	return fmt.Sprintf("%q", s)
}
