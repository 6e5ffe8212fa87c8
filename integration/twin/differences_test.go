package twin

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCompare(t *testing.T) {
	scripts, err := parseScripts("group", "-- x --\nc > NOOP\nc > GRAB_JOB\nc close\n")
	if err != nil {
		t.Fatal(err)
	}
	gearmand := [][]string{{"c < A", "c < B", "c < C"}, {"c < NO_JOB"}, nil}
	gearbolt := [][]string{{"c < A", "c < X", "c < C"}, {"c < NO_JOB"}}
	if got := render(compare(scripts[0], gearmand, gearmand)); got != "" {
		t.Errorf("what is equal differs:\n%s", got)
	}
	want := "c > NOOP\n- c < B\n+ c < X\n"
	if got := render(compare(scripts[0], gearmand, gearbolt)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	want = "c > NOOP\n- c < A\n- c < B\n- c < C\nc > GRAB_JOB\n- c < NO_JOB\n"
	if got := render(compare(scripts[0], gearmand, nil)); got != want {
		t.Errorf("with a server that fell silent: got\n%swant\n%s", got, want)
	}
}

func TestReadDifferences(t *testing.T) {
	read := func(text string) (map[string]string, error) {
		file := filepath.Join(t.TempDir(), "differences.txt")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return readDifferences(file)
	}
	got, err := read("Preamble.\n\n-- a/b --\n# Because.\nc > NOOP\n- c < x\n\n-- c/d --\n# So.\nw close\n+ c < y\n")
	if err != nil || len(got) != 2 || got["a/b"] != "c > NOOP\n- c < x\n" || got["c/d"] != "w close\n+ c < y\n" {
		t.Errorf("read %q, %v", got, err)
	}
	if _, err := read("-- a/b --\nc > NOOP\n- c < x\n"); err == nil {
		t.Error("a difference without a reason was accepted")
	}
	if _, err := read("-- a --\n# x\n-- a --\n# y\n"); err == nil {
		t.Error("a script that is declared twice was accepted")
	}
}
