package main

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"gearbolt/conf"
	"gearbolt/persist"
	"gearbolt/persist/memory"
)

// startAt starts a program without waiting for more than its log, which is
// opened before anything that may take long.
func startAt(t *testing.T, name string, args ...string) *program {
	t.Helper()
	dir := t.TempDir()
	p := &program{t: t, log: filepath.Join(dir, "log"), end: make(chan struct{})}
	p.cmd = command(append([]string{name, "--log-file=" + p.log}, args...)...)
	p.cmd.Env = append(p.cmd.Env, "GEARBOLT_DATA_DIR="+filepath.Join(dir, "data"))
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.cmd.Wait()
		p.code = p.cmd.ProcessState.ExitCode()
		close(p.end)
	}()
	t.Cleanup(func() { p.cmd.Process.Kill(); <-p.end })
	p.await("the log", func() bool { _, err := os.Stat(p.log); return err == nil })
	return p
}

// A stand-in for gearmand waits long for a port in use, but not for somebody
// who wants it to end.
func TestWaitForAPortIsInterrupted(t *testing.T) {
	socket, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	_, port, _ := net.SplitHostPort(socket.Addr().String())
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p := startAt(t, "gearmand", "--listen=127.0.0.1", "--port="+port)
		since := time.Now()
		p.signal(s)
		p.wantExit(exitOK)
		if took := time.Since(since); took > dropInPatience/4 {
			t.Errorf("%v: ended after %v", s, took)
		}
	}
}

// A longStore never comes to an end of what it has.
type longStore struct{ *memory.Store }

func (longStore) Load(f func(persist.Change) error) error {
	for seq := uint64(1); ; seq++ {
		id := persist.JobID{Epoch: 1, Seq: seq}
		if err := f(persist.Change{Kind: persist.DeleteJob, ID: id}); err != nil {
			return err
		}
	}
}

func TestLoadingIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	loading := make(chan struct{})
	go func() { <-loading; cancel() }()
	n := 0
	err := interruptible{longStore{memory.New()}, ctx}.Load(func(persist.Change) error {
		if n++; n == 1 {
			close(loading)
		}
		return nil
	})
	if !errors.Is(err, errToldToEnd) {
		t.Errorf("got %v", err)
	}
}

// A closer tells that it is closed.
type closer chan struct{}

func (c closer) Close() error {
	close(c)
	return nil
}

// What cannot be stopped does not hold up the end, and is closed when it is open
// at last.
func TestOpeningIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	opening, opened := make(chan struct{}), make(closer)
	go func() { <-opening; cancel() }()
	_, err := unlessTold(ctx, func() (closer, error) {
		close(opening)
		<-ctx.Done()
		<-t.Context().Done()
		return opened, nil
	})
	if !errors.Is(err, errToldToEnd) {
		t.Errorf("got %v", err)
	}
	t.Cleanup(func() { <-opened })
	if got, err := unlessTold(t.Context(), func() (closer, error) { return opened, nil }); got != opened || err != nil {
		t.Errorf("uninterrupted: got %v, %v", got, err)
	}
}

// The port and the store are waited for together, not one after the other.
func TestOneDeadlineForEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWait(t.Context(), &conf.Invocation{})
		always := func(error) bool { return true }
		since := time.Now()
		for range 2 {
			retried(w, always, func() (int, error) { return 0, errors.New("in use") })
		}
		if took := time.Since(since); took != startPatience {
			t.Errorf("refused after %v", took)
		}
	})
}

// A unix socket in use is waited for, as a port is.
func TestUnixSocketIsWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	predecessor, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		// The first to come is the successor, who looks whether anybody is there.
		if c, err := predecessor.Accept(); err == nil {
			c.Close()
		}
		predecessor.Close()
	}()
	if list, err := open(t, "--listen=unix:"+path); err != nil || len(list) != 1 {
		t.Errorf("got %v, %v", list, err)
	}
}
