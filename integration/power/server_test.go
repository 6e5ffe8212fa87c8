package power

import (
	"bytes"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"gearbolt/integration/device"
	"gearbolt/integration/harness"
	"gearbolt/integration/harness/process"
	"gearbolt/integration/judge"
)

func TestMain(m *testing.M) { device.Main(m) }

// startLimit is how long a server may take to be ready, on whatever disk.
const startLimit = 20 * time.Second

// A server is a process of our binary, or of one that is wrong on purpose.
type server struct {
	*process.Process
	addr   string
	output *bytes.Buffer // to be read when the process has ended
}

// A program is how to start a server.
type program struct {
	bin    string
	args   []string
	tracer func(disk string) []string // a command that becomes the one that follows it; nil: none
}

func ours(t *testing.T, args ...string) program { return program{bin: harness.Binary(t), args: args} }

// dataDir is where on a disk the server has its store.
func dataDir(disk string) string { return filepath.Join(disk, "data") }

// storeFile is the store itself.
func storeFile(disk string) string { return filepath.Join(dataDir(disk), "gearbolt.db") }

// start starts a server on a disk and waits until it answers.
func (p program) start(disk string) (*server, error) {
	addr, err := process.FreeAddr()
	if err != nil {
		return nil, err
	}
	s := &server{addr: addr, output: new(bytes.Buffer)}
	var line []string
	if p.tracer != nil {
		line = p.tracer(disk)
	}
	line = append(line, p.bin, "serve", "--listen", s.addr, "--data-dir", dataDir(disk),
		"--store-min-free", "1MiB", "--log-format", "console")
	line = append(line, p.args...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Stdout, cmd.Stderr = s.output, s.output
	if s.Process, err = process.Start(cmd); err != nil {
		return nil, err
	}
	dial := func() (net.Conn, error) { return net.DialTimeout("tcp", s.addr, time.Second) }
	if err := s.AwaitReady(startLimit, dial); err != nil {
		s.Kill()
		return nil, fmt.Errorf("%w\n%s", err, s.output)
	}
	return s, nil
}

// inspect starts a server on a disk, and holds it and its store to the book. It
// returns what is wrong.
func inspect(p program, disk string, book *judge.Book) (wrong []string) {
	book.Started()
	s, err := p.start(disk)
	if err != nil {
		return []string{fmt.Sprintf("no server starts: %v", err)}
	}
	look, err := book.Look(s.addr)
	s.Kill()
	book.Died()
	if err != nil {
		return []string{fmt.Sprintf("the server does not answer: %v", err)}
	}
	found := book.Judge(&judge.After{Server: look})
	book.Started()
	for _, v := range append(found, book.Judge(&judge.After{Store: judge.ReadStore(dataDir(disk))})...) {
		wrong = append(wrong, v.String())
	}
	return wrong
}
