package twin

import (
	"flag"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"gearbolt/integration/harness"
)

var rewrite = flag.Bool("rewrite", false, "record what gearmand answers in the scripts")

const (
	scriptDir       = "testdata"
	differencesFile = "differences.txt"
)

// A tally counts how scripts ended.
type tally struct{ equal, declared, failed atomic.Int64 }

func TestTwin(t *testing.T) {
	files, err := readScripts(scriptDir)
	if err != nil {
		t.Fatal(err)
	}
	if *rewrite {
		record(t, files)
		return
	}
	if !gearmandIsHere() && os.Getenv("CI") != "" {
		t.Fatal("gearmand is not installed, and in CI it must play along")
	}
	differences, err := readDifferences(differencesFile)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	var count tally
	t.Run("scripts", func(t *testing.T) {
		forEach(t, files, func(t *testing.T, s *script) {
			t.Cleanup(func() { count.add(t.Failed(), differences[s.name] != "") })
			twin(t, s, differences[s.name])
		}, names)
	})
	for name := range differences {
		if !names[name] {
			t.Errorf("differences are declared for %s, which is no script", name)
		}
	}
	equal, declared, failed := count.equal.Load(), count.declared.Load(), count.failed.Load()
	t.Logf("%d scripts: %d equal, %d with declared differences, %d failed; gearmand played along: %v",
		equal+declared+failed, equal, declared, failed, gearmandIsHere())
}

func (c *tally) add(failed, declared bool) {
	switch {
	case failed:
		c.failed.Add(1)
	case declared:
		c.declared.Add(1)
	default:
		c.equal.Add(1)
	}
}

// forEach runs a parallel subtest for each script, and notes the names.
func forEach(t *testing.T, files map[string][]*script, run func(*testing.T, *script), names map[string]bool) {
	for _, scripts := range files {
		for _, s := range scripts {
			if names[s.name] {
				t.Errorf("two scripts are called %s", s.name)
			}
			names[s.name] = true
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				run(t, s)
			})
		}
	}
}

// twin plays a script to both servers at once and holds the differences
// against those declared.
func twin(t *testing.T, s *script, declared string) {
	theirs := s.recorded()
	var both sync.WaitGroup
	if gearmandIsHere() {
		server := startGearmand(t, s)
		both.Go(func() {
			if changed := render(compare(s, theirs, playTo(t, server, s))); changed != "" {
				t.Errorf("gearmand does not answer as recorded (- recorded, + now):\n%s", changed)
			}
		})
	}
	ours := playTo(t, startGearbolt(t, s), s)
	both.Wait()
	if found := render(compare(s, theirs, ours)); found != declared {
		t.Errorf("differences (- gearmand, + Gearbolt):\n%s\ndeclared in %s:\n%s", found, differencesFile, declared)
	}
}

// playTo plays a script to a server, which it then ends.
func playTo(t *testing.T, server *harness.Server, s *script) [][]string {
	t.Helper()
	answers, err := play(server.Addr, server.Cmd.Process.Pid, s)
	if err != nil {
		t.Errorf("%s: %v\n%s", server.Name, err, server.Output())
	}
	server.Kill()
	return answers
}

// record plays all scripts to gearmand alone and writes down its answers.
func record(t *testing.T, files map[string][]*script) {
	harness.Need(t, "gearmand")
	t.Run("record", func(t *testing.T) {
		forEach(t, files, func(t *testing.T, s *script) {
			s.take(playTo(t, startGearmand(t, s), s))
		}, map[string]bool{})
	})
	for file, scripts := range files {
		if err := writeScripts(file, scripts); err != nil {
			t.Error(err)
		}
	}
}
