package main

import (
	"errors"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// listenUnix opens a unix socket for the process's user and group, who may
// also shut the server down through it. A socket that a dead process left is
// taken away; one that answers is not.
func listenUnix(path string) (net.Listener, error) {
	if isDeadSocket(path) {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o660); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func isDeadSocket(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != os.ModeSocket {
		return false
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		c.Close()
	}
	return errors.Is(err, unix.ECONNREFUSED)
}

// giveTo lets a user connect to a unix socket, and remove it.
func (l listener) giveTo(a *account) error {
	if l.Addr().Network() != "unix" {
		return nil
	}
	return os.Lchown(l.Addr().String(), a.uid, a.gid)
}
