package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// FuzzFile checks and salvages a store of which some bytes are whatever the
// fuzzer likes. The judge is that of TestMutants, but for checksums that the
// fuzzer gets right.
func FuzzFile(f *testing.F) {
	good := written(f)
	f.Add(uint32(0), []byte{0})
	f.Add(uint32(2*os.Getpagesize()), make([]byte, pageHeader))
	f.Add(uint32(3*os.Getpagesize()+8), []byte{pageBranch, 0, 1})
	f.Fuzz(func(t *testing.T, at uint32, change []byte) {
		file := bytes.Clone(good)
		copy(file[int(at)%len(file):], change)
		dir := place(t, file)
		report, err := Check(dir, nil)
		if err != nil {
			return
		}
		if _, err := load(dir); err != nil && report.Clean() {
			t.Errorf("the check passed what does not open: %v", err)
		}
		out := filepath.Join(dir, "out")
		if _, err := Salvage(place(t, file), out, SalvageOptions{}); err != nil {
			return
		}
		if _, err := load(out); err != nil {
			t.Errorf("what was salvaged does not open: %v", err)
		}
	})
}

// TestCheckOfWhatIsNoStore looks at what cannot be checked, and at what there is
// nothing in to check.
func TestCheckOfWhatIsNoStore(t *testing.T) {
	empty := place(t, nil)
	if r, err := Check(empty, nil); err != nil || r.Clean() || !strings.Contains(r.Damage[0].What, "empty") {
		t.Errorf("an empty file: %+v, %v", r, err)
	}
	garbage := place(t, bytes.Repeat([]byte("garbage "), 10_000))
	if r, err := Check(garbage, nil); err != nil || r.Clean() || !strings.Contains(r.Damage[0].What, "meta pages") {
		t.Errorf("garbage: %+v, %v", r, err)
	}
	directory := t.TempDir()
	if err := os.Mkdir(filepath.Join(directory, fileName), 0o700); err != nil {
		t.Fatal(err)
	}
	running := t.TempDir()
	open(t, Options{Dir: running})
	for _, c := range []struct{ path, want string }{
		{directory, "it is not a file but a directory"},
		{filepath.Join(directory, "none"), "no such file"},
		{t.TempDir(), "no such file"},
		{running, fmt.Sprintf("in use by the process with pid %d; take a copy with gearbolt store backup", os.Getpid())},
	} {
		if r, err := Check(c.path, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("check %s: %+v, %v, want %q", c.path, r, err, c.want)
		}
	}
}

// TestCheckWhereNothingMayBeWritten checks a store whose files may only be read,
// and one that may not even be that.
func TestCheckWhereNothingMayBeWritten(t *testing.T) {
	dir := place(t, written(t))
	path := filepath.Join(dir, fileName)
	open(t, Options{Dir: dir}).Close()
	if os.Geteuid() == 0 { // who may do everything, but for this thread
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		const nobody = 65534
		unix.Setfsuid(nobody)
		defer unix.Setfsuid(0)
	}
	mode := func(file, lock, dirMode fs.FileMode) error {
		return errors.Join(os.Chmod(path, file), os.Chmod(filepath.Join(dir, lockName), lock), os.Chmod(dir, dirMode))
	}
	asOwner(t, func() error { return mode(0o444, 0o444, 0o555) })
	if r, err := Check(dir, nil); err != nil || !r.Clean() {
		t.Errorf("read-only: %+v, %v", r, err)
	}
	asOwner(t, func() error { return mode(0, 0o444, 0o555) })
	if _, err := Check(dir, nil); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), path) {
		t.Errorf("unreadable: %v", err)
	}
	asOwner(t, func() error { return mode(0o600, 0o600, 0o700) })
}

// asOwner calls f with the rights that the process has.
func asOwner(t *testing.T, f func() error) {
	t.Helper()
	if os.Geteuid() == 0 {
		const nobody = 65534
		unix.Setfsuid(0)
		defer unix.Setfsuid(nobody)
	}
	if err := f(); err != nil {
		t.Fatal(err)
	}
}
