package twin

import (
	"slices"
	"strings"
	"testing"
)

func TestSplitWords(t *testing.T) {
	for _, c := range []struct {
		line string
		want []string
	}{
		{``, []string{}},
		{`GRAB_JOB`, []string{"GRAB_JOB"}},
		{`SUBMIT_JOB f  u ""`, []string{"SUBMIT_JOB", "f", "u", ""}},
		{`ECHO_REQ "a b\x00\n" "\""`, []string{"ECHO_REQ", "a b\x00\n", `"`}},
	} {
		got, err := splitWords(c.line)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("splitWords(%s) = %q, %v; want %q", c.line, got, err, c.want)
		}
	}
	if _, err := splitWords(`f "open`); err == nil {
		t.Error("a quote that does not end was accepted")
	}
}

func TestExpand(t *testing.T) {
	handle := func(name string) string { return "<" + name + ">" }
	for word, want := range map[string]string{
		"plain":       "plain",
		"{H1}-{H12}":  "<H1>-<H12>",
		"{x*3}{yy*2}": "xxx{yy*2}",
		"{H}{}{*}":    "{H}{}{*}",
	} {
		if got := expand(word, handle); got != want {
			t.Errorf("expand(%q) = %q, want %q", word, got, want)
		}
	}
	now, later := expand("{now}", handle), expand("{now+100000000000}", handle)
	if len(now) != 10 || len(later) != 12 {
		t.Errorf("now is %s, much later is %s", now, later)
	}
}

// What format writes, splitWords and expand read back.
func TestFormatIsRead(t *testing.T) {
	for _, word := range []string{
		"", "bare", "a b", "tab\there", "\x00", `"`, "\xff", "ü", "-", "# no comment",
		strings.Repeat("x", longRun-1), strings.Repeat("x", longRun), strings.Repeat("x", 8191) + "\n",
		strings.Repeat(" ", 100), strings.Repeat("12", 100),
	} {
		words, err := splitWords(format(word))
		if err != nil || len(words) != 1 || expand(words[0], strings.Clone) != word {
			t.Errorf("%q was written as %s and read as %q, %v", word, format(word), words, err)
		}
	}
}
