package power

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A mutant is a change to a source file of ours that makes a server wrong.
type mutant struct {
	pkg, file string
	from, to  string // from is there exactly once
}

// persistent is a server that tries a failed transaction again. It stands for
// all that go on after a failed sync.
var persistent = mutant{
	pkg: "gearbolt/persist/bolt", file: "write.go",
	from: "return s.fail(err)",
	to:   "return s.guarded(func() error { return s.try(items) })",
}

// build builds the wrong server.
func (m mutant) build(t *testing.T) program {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", m.pkg).Output()
	if err != nil {
		t.Fatal(err)
	}
	original := filepath.Join(strings.TrimSpace(string(out)), m.file)
	source, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), m.from); n != 1 {
		t.Fatalf("%s has %d times %q: the mutant is to be written anew", original, n, m.from)
	}
	dir := t.TempDir()
	changed := filepath.Join(dir, m.file)
	write(t, changed, []byte(strings.Replace(string(source), m.from, m.to, 1)))
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "overlay.json"), overlay)
	p := program{bin: filepath.Join(dir, "gearbolt")}
	build := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", p.bin, "gearbolt/cmd/gearbolt")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return p
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
