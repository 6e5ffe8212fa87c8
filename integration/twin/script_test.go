package twin

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

const example = `-- one --
# A comment.
args --job-retries=3 --exceptions
c > SUBMIT_JOB f u ""
c < JOB_CREATED {H1}
w < NOOP

a $ show jobs 
-- two --
c close
`

func TestParseScripts(t *testing.T) {
	scripts, err := parseScripts("group", example)
	if err != nil || len(scripts) != 2 {
		t.Fatalf("%d scripts, %v", len(scripts), err)
	}
	one, steps := scripts[0], scripts[0].steps()
	if one.name != "group/one" || scripts[1].name != "group/two" {
		t.Errorf("the scripts are called %s and %s", one.name, scripts[1].name)
	}
	if want := []string{"--job-retries=3", "--exceptions"}; !slices.Equal(one.args, want) {
		t.Errorf("args are %q, want %q", one.args, want)
	}
	if len(steps) != 2 || *steps[1].step != (step{"a", "$", "show jobs "}) {
		t.Fatalf("the second of %d steps is %+v", len(steps), steps[1].step)
	}
	if want := []string{"c < JOB_CREATED {H1}", "w < NOOP"}; !slices.Equal(one.recorded()[0], want) {
		t.Errorf("recorded %q, want %q", one.recorded()[0], want)
	}
	if _, err := parseScripts("group", "-- x --\nc < NOOP\n"); err == nil {
		t.Error("an answer to nothing was accepted")
	}
}

func TestRewriteKeepsAllButAnswers(t *testing.T) {
	scripts, err := parseScripts("group", example)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "group.txt")
	write := func() string {
		if err := writeScripts(file, scripts); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if got := write(); got != example {
		t.Errorf("what was read is written as\n%s", got)
	}
	scripts[0].take([][]string{{"c < ERROR"}, {"a < x"}})
	want := `-- one --
# A comment.
args --job-retries=3 --exceptions
c > SUBMIT_JOB f u ""
c < ERROR

a $ show jobs 
a < x
-- two --
c close
`
	if got := write(); got != want {
		t.Errorf("new answers are written as\n%s", got)
	}
}
