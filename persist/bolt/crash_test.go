package bolt

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"gearbolt/persist"
)

// The test binary is its own victim: with this in its environment it does not
// test, but does what the named function does, until it is killed or ends.
const victimEnv, victimDirEnv = "GEARBOLT_TEST_VICTIM", "GEARBOLT_TEST_VICTIM_DIR"

var victims = map[string]func(s *Store){
	"submit": victimSubmit,
	"limit":  victimLimit,
}

func TestMain(m *testing.M) {
	run, ok := victims[os.Getenv(victimEnv)]
	if !ok {
		os.Exit(m.Run())
	}
	s, err := Open(Options{Dir: os.Getenv(victimDirEnv), MinFree: 1})
	if err == nil {
		err = s.Load(func(persist.Change) error { return nil })
	}
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	run(s)
}

func victim(name, dir string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimEnv+"="+name, victimDirEnv+"="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

// victimSubmit keeps jobs and removes every other one, for ever. It tells "+n"
// when job n is acknowledged, "?n" before it asks for its removal and "-n" when
// that is acknowledged.
func victimSubmit(s *Store) {
	var mu sync.Mutex
	tell := func(sign string, j *persist.Job) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Printf("%s%d-%d\n", sign, j.ID.Epoch, j.ID.Seq)
	}
	var never sync.WaitGroup
	const submitters = 16
	for g := range uint64(submitters) {
		never.Go(func() {
			for n := g; ; n += submitters {
				j := benchJob(n)
				j.ID.Epoch = s.Epoch()
				if commit(s, put(j)) == nil {
					tell("+", j)
				}
				if n/submitters%2 == 0 {
					tell("?", j)
					if commit(s, remove(j.ID)) == nil {
						tell("-", j)
					}
				}
			}
		})
	}
	never.Wait()
}

// TestKill kills a process that is using a store, many times over, and checks
// each time that what it was told is so.
func TestKill(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 3
	}
	random := rand.New(rand.NewPCG(3, 4))
	dir := t.TempDir()
	told := make(map[string]string) // the last that was said of each job
	for round := range rounds {
		killAfter(t, dir, random.IntN(1500), told)
		kept := keptIDs(t, dir)
		for id, sign := range told {
			if _, there := kept[id]; sign == "+" && !there || sign == "-" && there {
				t.Fatalf("round %d: job %s, of which %q was told, is there: %v", round, id, sign, there)
			}
		}
	}
	t.Logf("%d jobs, %d rounds", len(told), rounds)
}

// killAfter starts a victim and kills it after so many lines of its telling.
func killAfter(t *testing.T, dir string, lines int, told map[string]string) {
	t.Helper()
	cmd := victim("submit", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(out)
	for n := 0; in.Scan(); n++ {
		if n == lines {
			cmd.Process.Kill()
		}
		sign, id := in.Text()[:1], in.Text()[1:]
		if !strings.Contains("+?-", sign) {
			t.Fatalf("the victim says %q", in.Text())
		}
		told[id] = sign
	}
	cmd.Process.Kill()
	cmd.Wait() // its error is that it was killed
}

func keptIDs(t *testing.T, dir string) map[string]bool {
	t.Helper()
	s := open(t, Options{Dir: dir})
	defer s.Close()
	kept := make(map[string]bool)
	err := s.Load(func(c persist.Change) error {
		kept[c.Job.ID.String()] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return kept
}
