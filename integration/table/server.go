package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"gearbolt/integration/harness/process"
)

// A kind of server, as it is started for a row.
type serverKind string

const (
	gearbolt serverKind = "gearbolt"        // durable, its default
	gearmand serverKind = "gearmand"        // in memory, four threads
	sqlite   serverKind = "gearmand-sqlite" // gearmand -q libsqlite3
	relay    serverKind = "relay"           // integration/relay, which only passes on
)

// A server is one that runs for a row.
type server struct {
	name string
	addr string
	dir  string // its data
	args []string
	bin  string
	*process.Process
	pid    int
	output tail
}

// start starts a server with a directory of its own.
func (r *rig) start(kind serverKind) (*server, error) {
	dir, err := os.MkdirTemp(r.dir, string(kind)+"-")
	if err != nil {
		return nil, err
	}
	addr, err := process.FreeAddr()
	if err != nil {
		return nil, err
	}
	s := &server{name: string(kind), addr: addr, dir: dir}
	s.bin, s.args = r.command(kind, addr, dir)
	return s, s.launch()
}

// command is a server's command line.
func (r *rig) command(kind serverKind, addr, dir string) (bin string, args []string) {
	if kind == gearbolt {
		return r.gearbolt, []string{"serve", "--listen", addr, "--data-dir", filepath.Join(dir, "data")}
	}
	if kind == relay {
		return r.relay, []string{addr}
	}
	host, port, _ := net.SplitHostPort(addr) // it has just been made of both
	args = []string{"--listen=" + host, "--port=" + port, "--threads=4", "--log-file=stderr", "--verbose=ERROR"}
	if kind == sqlite {
		args = append(args, "-q", "libsqlite3", "--libsqlite3-db="+filepath.Join(dir, "queue.db"))
	}
	return r.gearmand, args
}

// launch starts the server's process, for the first time or again, and returns
// when it answers.
func (s *server) launch() error {
	cmd := exec.Command(s.bin, s.args...)
	cmd.Stdout, cmd.Stderr = &s.output, &s.output
	p, err := process.Start(cmd)
	if err != nil {
		return err
	}
	s.Process, s.pid = p, cmd.Process.Pid
	err = s.AwaitReady(10*time.Minute, func() (net.Conn, error) { return net.DialTimeout("tcp", s.addr, time.Second) })
	if err != nil {
		s.stop()
		return fmt.Errorf("%s: %w: %s", s.name, err, s.output.String())
	}
	return nil
}

// stop ends the server and takes its data away.
func (s *server) stop() {
	s.Kill()
	os.RemoveAll(s.dir)
}

// gone is an error if the server has ended by itself. One that has dropped its
// connections may be on its way.
func (s *server) gone() error {
	err := s.Wait(time.Second)
	if !s.Exited() {
		return nil
	}
	return errors.New(strings.TrimSuffix(fmt.Sprintf("%s ended by itself: %v; %s", s.name, err, s.output.String()), "; "))
}

// memory returns the server's resident set, in bytes.
func (s *server) memory() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.pid))
	if err != nil {
		return 0, err
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(b), &size, &resident); err != nil {
		return 0, err
	}
	return resident * int64(os.Getpagesize()), nil
}

// A tail keeps the last that was written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	t.buf = t.buf[max(0, len(t.buf)-tailSize):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.buf))
}
