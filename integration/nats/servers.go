package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"golang.org/x/sys/unix"

	"gearbolt/integration/harness/process"
)

// A peer is a server that runs.
type peer struct {
	*process.Process
	addr string
	pid  int
}

func start(addr string, cmd *exec.Cmd) (*peer, error) {
	p, err := process.Start(cmd)
	if err != nil {
		return nil, err
	}
	return &peer{Process: p, addr: addr, pid: cmd.Process.Pid}, nil
}

func startGearbolt(binary, dir string) (*peer, error) {
	addr, err := process.FreeAddr()
	if err != nil {
		return nil, err
	}
	p, err := start(addr, exec.Command(binary, "serve", "--listen", addr, "--data-dir", dir))
	if err != nil {
		return nil, err
	}
	if err := p.AwaitReady(30*time.Second, func() (net.Conn, error) { return net.DialTimeout("tcp", addr, time.Second) }); err != nil {
		p.Kill()
		return nil, err
	}
	return p, nil
}

// startNATS starts this program as a server of NATS.
func startNATS() (*peer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	addr, err := process.FreeAddr()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, serve, addr)
	cmd.Stderr = os.Stderr
	p, err := start(addr, cmd)
	if err != nil {
		return nil, err
	}
	if err := p.awaitNATS(); err != nil {
		p.Kill()
		return nil, err
	}
	return p, nil
}

// awaitNATS returns when the server takes connections.
func (p *peer) awaitNATS() error {
	deadline := time.Now().Add(30 * time.Second)
	for {
		nc, err := nats.Connect("nats://" + p.addr)
		if err == nil {
			nc.Close()
			return nil
		}
		if p.Exited() || time.Now().After(deadline) {
			return fmt.Errorf("NATS's server does not answer: %w", err)
		}
		time.Sleep(5 * time.Millisecond) // asks again, rather than waits for a length of time
	}
}

// serveNATS is NATS's server with its defaults, until the process is ended.
func serveNATS(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	s, err := server.NewServer(&server.Options{Host: host, Port: number, NoSigs: true, NoLog: true})
	if err != nil {
		return err
	}
	s.Start()
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, os.Interrupt)
	<-ended
	s.Shutdown()
	return nil
}

// cpu is the processor time that the process has had, user's and system's, to
// the nanosecond: every Linux process has such a clock.
func (p *peer) cpu() (time.Duration, error) {
	const scheduled = 2
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^p.pid<<3|scheduled), &ts); err != nil {
		return 0, errors.Join(errors.New("the server's process has gone"), err)
	}
	return time.Duration(ts.Nano()), nil
}
