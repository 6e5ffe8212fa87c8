package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gearbolt/integration/harness"
)

// A storeReport is what "store check -o json" says.
type storeReport struct {
	Clean, Copy bool
	Jobs        int
	Functions   []struct {
		Function string
		Jobs     int
	}
	Damage []struct{ What, Lost string }
}

func (s *stage) check(path string, code int) (r storeReport) {
	s.Helper()
	got := s.run("", "store", "check", path, "-o", "json")
	if err := json.Unmarshal([]byte(got.stdout), &r); err != nil || got.code != code || r.Clean != (code == 0) {
		s.Fatalf("store check %s: %v, %+v", path, err, got)
	}
	return r
}

// queue submits a background job of function f for each line.
func (s *stage) queue(lines string) {
	s.Helper()
	if r := s.run(lines, "submit", "-b", "f", "--lines"); r.code != 0 {
		s.Fatalf("submit: %+v", r)
	}
}

// withSocket starts a server that can be reached by a unix socket, too.
func withSocket(t *testing.T) (s *stage, socket string) {
	t.Helper()
	socket = "unix:" + filepath.Join(t.TempDir(), "s")
	return &stage{t, harness.Gearbolt(t, "--listen", socket)}, socket
}

// A server is backed up while jobs come in, and then killed. The backup has
// every job that was acknowledged before it began; both are clean.
func TestStoreBackupUnderLoad(t *testing.T) {
	s, socket := withSocket(t)
	dir := s.server.DataDir
	s.queue(strings.Repeat("x\n", 500))
	load := s.command("submit", "-b", "g", "--lines")
	load.Stdin = strings.NewReader(strings.Repeat("y\n", 5000))
	if err := load.Start(); err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(dir, "backups", "b")
	r := s.run("", "store", "backup", "b", "--server", socket)
	if r.code != 0 || !strings.HasPrefix(r.stdout, backup+": ") {
		t.Fatalf("got %+v", r)
	}
	s.says(result{code: 1, stderr: "in use by the process with pid " + fmt.Sprint(s.server.Cmd.Process.Pid)}, "", "store", "check", dir)
	s.says(result{code: 1, stderr: "in use"}, "", "store", "compact", dir)
	s.says(result{code: 4, stderr: "already"}, "", "store", "backup", "b", "--server", socket)
	s.says(result{code: 4, stderr: "is no name for a backup"}, "", "store", "backup", "../b", "--server", socket)
	s.says(result{code: 4, stderr: "give its unix socket"}, "", "store", "backup", "c")
	load.Process.Kill()
	load.Wait()
	s.server.Kill()

	if r := s.check(backup, 0); !r.Copy || len(r.Functions) == 0 || r.Functions[0].Function != "f" || r.Functions[0].Jobs != 500 {
		t.Errorf("the backup has %+v", r)
	}
	whole := s.check(dir, 0)
	if r := s.run("", "store", "backup", "c", "--data-dir", dir); r.code != 0 || !strings.HasPrefix(r.stdout, filepath.Join(dir, "backups", "c")+": ") {
		t.Errorf("backup of what is stopped: %+v", r)
	}
	if r := s.run("", "store", "compact", dir, "--progress"); r.code != 0 || !strings.Contains(r.stdout, "bytes before") {
		t.Errorf("compact: %+v", r)
	}
	if r := s.check(dir, 0); r.Jobs != whole.Jobs {
		t.Errorf("compacted, it has %d jobs, not %d", r.Jobs, whole.Jobs)
	}
	restored := restore(t, backup)
	s.server = harness.GearboltAt(t, harness.FreeAddr(t), restored)
	if f := s.status("f"); len(f) != 1 || f[0].Jobs != 500 {
		t.Errorf("restored, there is %+v", f)
	}
}

func restore(t *testing.T, backup string) (dir string) {
	t.Helper()
	b, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "gearbolt.db"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A store is damaged: the server refuses it with the commands that help, and
// they do.
func TestStoreSalvage(t *testing.T) {
	s, _ := withSocket(t)
	dir := s.server.DataDir
	s.queue(strings.Repeat("payload of a job\n", 500))
	s.server.Kill()
	// A free page may still show a job as it was before.
	if r := s.run("", "store", "compact", dir); r.code != 0 {
		t.Fatalf("compact: %+v", r)
	}
	path := filepath.Join(dir, "gearbolt.db")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[bytes.LastIndex(b, []byte("payload of a job"))] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, harness.Binary(t), "serve", "--listen", harness.FreeAddr(t), "--data-dir", dir).CombinedOutput()
	for _, want := range []string{"gearbolt store check " + path, "gearbolt store salvage " + path, "checksum", "job 1-"} {
		if err == nil || !strings.Contains(string(out), want) || bytes.Count(out, []byte("\n")) != 1 {
			t.Errorf("the server says %v, %q; want %q", err, out, want)
		}
	}
	// It has counted that start, as nobody has read the record by then.
	if b, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	if r := s.check(dir, 8); len(r.Damage) != 1 || !strings.Contains(r.Damage[0].What, "job 1-") {
		t.Errorf("the check says %+v", r)
	}
	salvaged := filepath.Join(t.TempDir(), "new")
	r := s.run("", "store", "salvage", dir, salvaged)
	if r.code != 8 || !strings.Contains(r.stdout, "recovered    499 jobs") {
		t.Errorf("salvage: %+v", r)
	}
	s.says(result{code: 1, stderr: "already exists"}, "", "store", "salvage", dir, salvaged)
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, b) {
		t.Errorf("the damaged file has changed: %v", err)
	}
	s.check(salvaged, 0)
	s.server = harness.GearboltAt(t, harness.FreeAddr(t), salvaged)
	if f := s.status("f"); len(f) != 1 || f[0].Jobs != 499 {
		t.Errorf("salvaged, there is %+v", f)
	}
}
