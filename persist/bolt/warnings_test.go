package bolt

import (
	"strings"
	"testing"
)

func TestFastCommitLoses(t *testing.T) {
	for release, want := range map[string]bool{
		"":                 false,
		"4.19.0":           false,
		"5.9.16":           false,
		"5.10.93":          true,
		"5.10.94":          false,
		"5.10.0-9-amd64":   true,
		"5.12.3":           true,
		"5.15.26-generic":  true,
		"5.15.27":          false,
		"5.16.5":           true,
		"5.17":             false,
		"6.1.0-50-amd64":   false,
		"10.15.0":          false,
		"something else 5": false,
	} {
		if got := fastCommitLoses(release); got != want {
			t.Errorf("fastCommitLoses(%q) = %v", release, got)
		}
	}
}

func TestExt4Warnings(t *testing.T) {
	for options, want := range map[string]string{
		"rw\nbarrier\ndelalloc\n":            "",
		"rw\nnobarrier\n":                    "nobarrier",
		"rw\nbarrier\nfast_commit\nerrors=0": "fast_commit",
	} {
		got := strings.Join(ext4Warnings("/d", options, "5.14.1"), "\n")
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("with options %q: %q, want something on %q", options, got, want)
		}
	}
}

// TestWarningsHere checks that the lookup finds the options of a mounted ext4,
// if there is one here.
func TestWarningsHere(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	if options := ext4Options(dir); options != "" && !strings.Contains(options, "errors=") {
		t.Errorf("the options of an ext4 are %q", options)
	}
	for _, w := range s.Warnings() {
		t.Log(w)
	}
}
