package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"
)

// A routerProcess is a running server and where it keeps its jobs.
type routerProcess struct {
	bin, dataDir, addr string
	cmd                *exec.Cmd
}

// start starts the server on a free port and waits until it answers.
func (r *routerProcess) start() error {
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	r.addr = addr
	r.cmd = exec.Command(r.bin, "serve", "--listen", addr, "--data-dir", r.dataDir, "--log-format", "console")
	r.cmd.Stderr = os.Stdout
	if err := r.cmd.Start(); err != nil {
		return err
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			return c.Close()
		}
	}
	return fmt.Errorf("the router does not listen on %s", addr)
}

// kill ends the server with SIGKILL.
func (r *routerProcess) kill() {
	if r.cmd != nil && r.cmd.Process != nil {
		r.cmd.Process.Kill()
		r.cmd.Wait()
	}
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
