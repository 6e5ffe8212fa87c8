package router

import (
	flags "flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flags.Bool("rewrite", false, "write what the machine says into testdata/*.txt")

// TestTranscripts plays the scenes of testdata/*.txt, which show what the
// machine does in plain words. In a file, a line that begins with
//
//	==   begins a scene, on an empty stage
//	#    is a remark
//	>    is something that happens (see stage.do)
//
// and the indented lines below it are all that the machine has to say to it:
// to connections, by the names that the scene gives them; to the store; and
// when it next wants to be woken, where that has changed.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			played := play(t, string(text))
			switch {
			case played == string(text):
			case *rewrite:
				if err := os.WriteFile(file, []byte(played), 0o644); err != nil {
					t.Fatal(err)
				}
			default:
				t.Errorf("%s (go test -run TestTranscripts -rewrite writes down what is said now)", difference(string(text), played))
			}
		})
	}
}

// play returns a transcript with what the machine says now.
func play(t *testing.T, text string) string {
	var out strings.Builder
	var s *stage
	for line := range strings.Lines(text) {
		event, isEvent := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "> ")
		switch {
		case strings.HasPrefix(line, " "):
			continue
		case strings.HasPrefix(line, "=="):
			s = newStage()
		case isEvent && s == nil:
			t.Fatalf("%q comes before the first scene", line)
		}
		out.WriteString(line)
		if !isEvent {
			continue
		}
		said, err := s.event(event)
		if err != nil {
			t.Fatalf("> %s: %v", event, err)
		}
		for _, word := range said {
			out.WriteString("    " + word + "\n")
		}
	}
	return out.String()
}

// difference shows where two transcripts part.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	event := ""
	for i := range w {
		if i == len(g) || w[i] != g[i] {
			return "after " + event + "\nwanted:\n" + strings.Join(w[i:min(i+4, len(w))], "\n") + "\nsaid:\n" + strings.Join(g[min(i, len(g)):min(i+4, len(g))], "\n")
		}
		if strings.HasPrefix(w[i], "> ") {
			event = w[i]
		}
	}
	return "more is said than wanted"
}
