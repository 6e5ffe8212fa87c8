package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"gearbolt/integration/harness/process"
)

// A router is our server, where it listens and where it keeps its jobs.
type router struct {
	bin, addr, dataDir string
	running            *process.Process // nil: not started
}

// newRouter builds the server, with all that is its own in dir.
func newRouter(dir string) (*router, error) {
	bin, err := process.Build(dir)
	if err != nil {
		return nil, err
	}
	addr, err := process.FreeAddr()
	return &router{bin: bin, addr: addr, dataDir: filepath.Join(dir, "data")}, err
}

// start starts the server and waits until it answers.
func (r *router) start() (err error) {
	cmd := exec.Command(r.bin, "serve", "--listen", r.addr, "--data-dir", r.dataDir, "--log-format", "console")
	cmd.Stderr = os.Stdout
	if r.running, err = process.Start(cmd); err != nil {
		return err
	}
	err = r.running.AwaitReady(10*time.Second, func() (net.Conn, error) { return net.Dial("tcp", r.addr) })
	if err != nil {
		r.kill()
		return fmt.Errorf("the router on %s: %w", r.addr, err)
	}
	return nil
}

// kill ends the server with SIGKILL.
func (r *router) kill() {
	if r.running != nil {
		r.running.Kill()
	}
}
