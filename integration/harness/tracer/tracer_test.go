package tracer

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A program that removes files is killed at each removal, and has done those
// before it.
func TestKilledAtTheNth(t *testing.T) {
	Need(t)
	names := []string{"a", "b", "c"}
	for nth := 1; nth <= 4; nth++ {
		dir := t.TempDir()
		for _, name := range names {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command("rm", names...)
		cmd.Dir = dir
		tr, err := Start(cmd, nth, unix.SYS_UNLINKAT)
		if err != nil {
			t.Fatal(err)
		}
		calls, killed, err := tr.Result()
		if want := min(nth, 3); err != nil || calls != want || killed != (nth <= 3) {
			t.Errorf("killed at %d: %d calls, %v, %v", nth, calls, killed, err)
		}
		for i, name := range names {
			if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != (i+1 >= nth) {
				t.Errorf("killed at %d: %s: %v", nth, name, err)
			}
		}
	}
}
