package admin

import (
	"fmt"
	"strconv"
	"strings"
)

// Version returns what the server says that it is.
func (c *Conn) Version() (string, error) { return c.ask("version") }

// PID returns the number of the server's process, on its own machine.
func (c *Conn) PID() (int, error) {
	text, err := c.ask("getpid")
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("the server says that its process is %q", text)
	}
	return pid, nil
}

// Cancel gives up a job.
func (c *Conn) Cancel(handle string) error {
	_, err := c.ask("cancel", "job", handle)
	return err
}

// CreateFunction makes the server list a function.
func (c *Conn) CreateFunction(name string) error {
	_, err := c.ask("create", "function", name)
	return err
}

// DropFunction takes a function without workers and jobs off the list.
func (c *Conn) DropFunction(name string) error {
	_, err := c.ask("drop", "function", name)
	return err
}

// Backup makes the server copy its store, and returns where the copy is, on its
// machine, and how many bytes it has.
func (c *Conn) Backup(name string) (path string, size int64, err error) {
	text, err := c.ask("backup", name)
	if err != nil {
		return "", 0, err
	}
	number, path, _ := strings.Cut(text, " ")
	if size, err = strconv.ParseInt(number, 10, 64); err != nil {
		return "", 0, fmt.Errorf("the server says that the backup is %q", text)
	}
	return path, size, nil
}

// Shutdown ends the server, with grace once its last job is done.
func (c *Conn) Shutdown(graceful bool) (err error) {
	if graceful {
		_, err = c.ask("shutdown", "graceful")
	} else {
		_, err = c.ask("shutdown")
	}
	return err
}
