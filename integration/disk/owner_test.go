package disk

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

// refused starts a server that is not to start, and returns what it says.
func refused(t *testing.T, dir string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, harness.Binary(t), "serve", "--listen", harness.FreeAddr(t), "--data-dir", dir)
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("the server ends with exit code %d: %v\n%s", code, err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

func submitOne(addr, token string) error {
	l, err := judge.Dial(addr)
	if err != nil {
		return err
	}
	defer l.Close()
	_, err = l.Ask(protocol.JobCreated, protocol.SubmitJobBG, filling, token, token+"|"+strings.Repeat("x", 2000))
	return err
}

// mustSubmit has jobs stored.
func mustSubmit(t *testing.T, addr string, n int) {
	t.Helper()
	for i := range n {
		if err := submitOne(addr, fmt.Sprint("job ", i)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTwoServers starts a second server on the store of one that is at work.
func TestTwoServers(t *testing.T) {
	s := harness.Gearbolt(t)
	quickest := patience
	for i := range 3 {
		began := time.Now()
		said := refused(t, s.DataDir)
		if want := fmt.Sprint("pid ", s.Cmd.Process.Pid); !strings.Contains(said, want) {
			t.Errorf("the second server does not name the first, with %s: %s", want, said)
		}
		quickest = min(quickest, time.Since(began))
		mustSubmit(t, s.Addr, i)
	}
	if quickest > 2*time.Second { // a machine may have something else to do, but not each time
		t.Errorf("the second server was refused after %v", quickest)
	}
}

// TestTakenAway does to the store of a running server what nobody may do. No
// job is promised to survive that; but the server acknowledges nothing more, and
// what is left is never taken for a sound store that it is not.
func TestTakenAway(t *testing.T) {
	const jobs = 40
	for _, c := range []struct {
		name string
		do   func(path string) error
		says string // of the next start; "": it starts
		left int    // jobs, then
	}{
		{"deleted", os.Remove, "", 0},
		{"replaced by a copy", replace, "", jobs},
		{"emptied", func(path string) error { return os.Truncate(path, 0) }, "it is empty", 0},
		{"cut short", func(path string) error { return os.Truncate(path, 8<<10) }, "damaged", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := harness.Gearbolt(t)
			path := filepath.Join(s.DataDir, "gearbolt.db")
			mustSubmit(t, s.Addr, jobs)
			if err := c.do(path); err != nil {
				t.Fatal(err)
			}
			if err := submitOne(s.Addr, "behind it"); err == nil {
				t.Error("a job was acknowledged that is nowhere")
			}
			s.Kill()
			if c.says != "" {
				wantUntouched(t, path, func() {
					if said := refused(t, s.DataDir); !strings.Contains(said, path) || !strings.Contains(said, c.says) {
						t.Errorf("the next start says %q, want the path and %q", said, c.says)
					}
				})
				return
			}
			s = harness.GearboltAt(t, s.Addr, s.DataDir)
			if got := countJobs(t, s.Addr); got != c.left {
				t.Errorf("after a restart there are %d jobs, want %d", got, c.left)
			}
		})
	}
}

// replace puts a copy of a file in its place, as who restores a backup does.
func replace(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".copy", b, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".copy", path)
}

func wantUntouched(t *testing.T, path string, f func()) {
	t.Helper()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f()
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("%s was changed: %v", path, err)
	}
}

func countJobs(t *testing.T, addr string) int {
	t.Helper()
	l, err := judge.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	jobs, err := l.List("show jobs")
	if err != nil {
		t.Fatal(err)
	}
	return len(jobs)
}
