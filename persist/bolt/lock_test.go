package bolt

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// A server may start on a full disk: the pid in the lock's file is for people.
func TestLockOnAFullDisk(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("there is no disk that is always full: %v", err)
	}
	defer f.Close()
	if err := writePid(f); err != nil {
		t.Error(err)
	}
}

// The pid takes the place of a longer one.
func TestLockNamesItsLastOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), lockName)
	if err := os.WriteFile(path, []byte("4294967295"), 0o600); err != nil {
		t.Fatal(err)
	}
	lock, err := lockDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if b, err := os.ReadFile(path); err != nil || string(b) != strconv.Itoa(os.Getpid()) {
		t.Errorf("the file says %q, %v", b, err)
	}
}
