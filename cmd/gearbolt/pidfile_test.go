package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// opened opens a pid file in a directory where path may hold something.
func opened(t *testing.T, path string) *pidFile {
	t.Helper()
	p, err := openPIDFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.f.Close() })
	return p
}

// wantText checks what a file holds; "" is no file or an empty one.
func wantText(t *testing.T, path, text string) {
	t.Helper()
	if b, _ := os.ReadFile(path); string(b) != text {
		t.Errorf("%s holds %q, want %q", path, b, text)
	}
}

func TestPIDFileReplacesWhatIsThere(t *testing.T) {
	for _, link := range []func(string, string) error{os.Symlink, os.Link} {
		dir := t.TempDir()
		path, precious := filepath.Join(dir, "pid"), filepath.Join(dir, "precious")
		if err := errors.Join(os.WriteFile(precious, []byte("keep"), 0o600), link(precious, path)); err != nil {
			t.Fatal(err)
		}
		p := opened(t, path)
		if err := p.write(); err != nil {
			t.Fatal(err)
		}
		wantText(t, path, string(pidLine()))
		wantText(t, precious, "keep")
		if err := os.WriteFile(path, []byte("1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		p.remove()
		wantText(t, path, "1\n")
	}
}

func TestPIDFileIsLeftToItsOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pid")
	opened(t, path).giveUp()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the file stays: %v", err)
	}
	if err := os.WriteFile(path, []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	opened(t, path).giveUp()
	wantText(t, path, "1\n")
}

// A predecessor removes its file while the successor waits for it to end.
func TestPIDFileOfAPredecessor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pid")
	if err := os.WriteFile(path, []byte("1234567890\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := opened(t, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := p.write(); err != nil {
		t.Fatal(err)
	}
	wantText(t, path, string(pidLine()))
}

func TestSecondServerLeavesThePIDFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pid")
	p := begin(t, "--pid-file", path)
	_, stderr, code := output(t, "gearbolt", "--port", "0", "--data-dir", p.dir, "--pid-file", path)
	if code != exitUsage || !strings.Contains(stderr, "in use") {
		t.Errorf("got %q, %d", stderr, code)
	}
	if got := readPID(t, path); got != p.cmd.Process.Pid {
		t.Errorf("the pid file has %d, want %d", got, p.cmd.Process.Pid)
	}
}
