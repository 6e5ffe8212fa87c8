package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"gearbolt/integration/harness"
)

func TestWordCount(t *testing.T) {
	eachServer(t, func(s *stage) {
		s.works("wc", "-n", "4", "--", "wc", "-c")
		s.says(result{stdout: "12\n"}, "hello world\n", "submit", "wc")
		s.says(result{stdout: "5\n"}, "", "submit", "wc", "hello")
		s.says(result{stdout: "0\n"}, "", "submit", "wc", "-")
		big := strings.Repeat("x", 5<<20)
		s.says(result{stdout: fmt.Sprintln(len(big))}, big, "submit", "wc")
		s.says(result{stdout: "1\n2\n0\n4\n"}, "a\nbb\n\ncccc", "submit", "wc", "--lines")
	})
}

// Many lines at once come back in their order.
func TestLinesKeepTheirOrder(t *testing.T) {
	eachServer(t, func(s *stage) {
		s.works("echo", "-n", "8", "--", "cat")
		var in strings.Builder
		for i := range 300 {
			fmt.Fprintf(&in, "line %d\n", i)
		}
		s.says(result{stdout: in.String()}, in.String(), "submit", "echo", "--lines", "-n", "16")
	})
}

// Each of four jobs ends when all four have begun.
func TestLinesRunAtOnce(t *testing.T) {
	s := &stage{t, harness.Gearbolt(t)}
	meet := "cd " + s.TempDir() + "; touch $(cat); until [ $(ls | wc -l) = 4 ]; do sleep 0.01; done"
	s.works("meet", "-n", "4", "--", "sh", "-c", meet)
	s.says(result{}, "a\nb\nc\nd\n", "submit", "meet", "--lines", "-n", "4")
}

// script does what its payload says.
const script = `read what
case $what in
fail) exit 3 ;;
raise) echo care >&2; echo "went wrong" >&2; exit 2 ;;
killed) kill -9 $$ ;;
slow) sleep 1000 & wait ;;
warn) echo care >&2; echo done ;;
progress) echo 1/2 >&3; echo 2/2 >&3; echo done ;;
name) echo "$GEARMAN_JOB_FUNCTION $GEARMAN_JOB_UNIQUE" ;;
esac`

func TestExitCodes(t *testing.T) {
	eachServer(t, func(s *stage) {
		s.works("f", "g", "--timeout", "3s", "--", "sh", "-c", script)
		s.says(result{stdout: "done\n", stderr: "care\n"}, "warn\n", "submit", "f")
		s.says(result{stdout: "done\n"}, "warn\n", "submit", "f", "-q")
		s.says(result{stdout: "done\n"}, "progress\n", "submit", "f")
		s.says(result{stdout: "g id\n"}, "name\n", "submit", "g", "--unique", "id")
		s.says(result{code: 2, stderr: "the function failed\n"}, "fail\n", "submit", "f")
		s.says(result{code: 3, stderr: "care\nwent wrong\ngearbolt: f at "}, "raise\n", "submit", "f")
		s.says(result{code: 3, stderr: "exception: exit status 2: went wrong\n"}, "raise\n", "submit", "f")
		s.says(result{code: 3, stderr: "exception: signal: killed\n"}, "killed\n", "submit", "f")
		s.says(result{code: 3, stderr: "exception: not done in 3s\n"}, "slow\n", "submit", "f")
		s.says(result{code: 7, stderr: "there was no answer in time\n"}, "", "submit", "nobody", "x", "-t", "1s")
		s.says(result{code: 2, stdout: "done\n", stderr: "gearbolt: line 2: f at "}, "progress\nfail\n", "submit", "f", "--lines")
		s.says(result{code: 5, stderr: "no server can be reached"}, "", "submit", "f", "x", "--server", harness.FreeAddr(s))
	})
}

func TestOutcomesInJSON(t *testing.T) {
	eachServer(t, func(s *stage) {
		s.works("f", "--", "sh", "-c", script)
		for what, want := range map[string]string{
			"warn":  `"outcome":"complete","warnings":["care\n"],"result":"done\n"}`,
			"fail":  `"outcome":"failed","error":"f at `,
			"raise": `"outcome":"exception","warnings":["care\n","went wrong\n"],"exception":"exit status 2: went wrong","error":"f at `,
		} {
			r := s.run(what+"\n", "submit", "f", "-o", "json")
			if !strings.Contains(r.stdout, want) || r.stderr != "" || (r.code == 0) != (what == "warn") {
				s.Errorf("%s: got %+v", what, r)
			}
		}
	})
}

// group is a job that leaves a process of its own behind, and waits for it.
func group(dir string) (file string, command []string) {
	file = filepath.Join(dir, "pids")
	return file, []string{"--", "sh", "-c", "sleep 1000 & echo $$ $! > " + file + "; wait"}
}

func TestInterruptLeavesNoChild(t *testing.T) {
	eachServer(t, func(s *stage) {
		file, command := group(s.TempDir())
		worker := s.works(append([]string{"f", "--shutdown-timeout", "1h"}, command...)...)
		if r := s.run("x", "submit", "-b", "f"); r.code != 0 {
			s.Fatalf("got %+v", r)
		}
		pids := s.pids(file)
		for _, one := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} { // two alike may arrive as one
			worker.Process.Signal(one)
		}
		s.exits(worker, 0)
		s.allDie(pids)
		harness.Await(s, "the job is back at the server", func() bool {
			f := s.status("f")
			return len(f) == 1 && f[0].Jobs == 1 && f[0].Running == 0
		})
	})
}

func (s *stage) allDie(pids []string) {
	s.Helper()
	if len(pids) == 0 {
		s.Fatal("there are no processes")
	}
	for _, word := range pids {
		pid, err := strconv.Atoi(word)
		if err != nil {
			s.Fatal(err)
		}
		s.dies(pid)
	}
}

func TestJobsMayEndAfterAnInterrupt(t *testing.T) {
	s := &stage{t, harness.Gearbolt(t)}
	dir := s.TempDir()
	worker := s.works("f", "--shutdown-timeout", "1h", "--", "sh", "-c", "echo $$ >"+dir+"/pids; read x <"+dir+"/go; echo done")
	if err := syscall.Mkfifo(dir+"/go", 0o600); err != nil {
		s.Fatal(err)
	}
	call := s.command("submit", "f", "x")
	var out strings.Builder
	call.Stdout = &out
	if err := call.Start(); err != nil {
		s.Fatal(err)
	}
	s.pids(dir + "/pids")
	worker.Process.Signal(syscall.SIGTERM)
	if err := os.WriteFile(dir+"/go", []byte("\n"), 0); err != nil {
		s.Fatal(err)
	}
	s.exits(worker, 0)
	s.exits(call, 0)
	if out.String() != "done\n" {
		s.Errorf("got %q", &out)
	}
}

func TestSuddenDeathLeavesNoChild(t *testing.T) {
	s := &stage{t, harness.Gearbolt(t)}
	file, command := group(s.TempDir())
	worker := s.works(append([]string{"f"}, command...)...)
	s.run("x", "submit", "-b", "f")
	pids := s.pids(file)
	worker.Process.Kill()
	s.allDie(pids)
}

func TestTimeEndsTheGroup(t *testing.T) {
	eachServer(t, func(s *stage) {
		file, command := group(s.TempDir())
		s.works(append([]string{"f", "--timeout", "3s", "--grace", "100ms"}, command...)...)
		s.says(result{code: 3, stderr: "not done in 3s"}, "", "submit", "f", "x")
		s.allDie(s.pids(file))
	})
}

func TestInterruptedCall(t *testing.T) {
	s := &stage{t, harness.Gearbolt(t)}
	call := s.command("submit", "nobody", "x")
	if err := call.Start(); err != nil {
		s.Fatal(err)
	}
	harness.Await(s, "the job", func() bool { return len(s.status("nobody")) == 1 })
	call.Process.Signal(syscall.SIGINT)
	s.exits(call, 130)
}

// Nobody has to type on after an interrupt.
func TestInterruptedInput(t *testing.T) {
	s := &stage{t, harness.Gearbolt(t)}
	s.works("f", "--", "cat")
	call := s.command("submit", "f", "--lines")
	in, err := call.StdinPipe()
	if err != nil {
		s.Fatal(err)
	}
	defer in.Close()
	out, w := pipe(t)
	call.Stdout = w
	if err := call.Start(); err != nil {
		s.Fatal(err)
	}
	w.Close()
	fmt.Fprintln(in, "first")
	if line, err := out.ReadString('\n'); line != "first\n" {
		s.Errorf("got %q, %v", line, err)
	}
	call.Process.Signal(syscall.SIGINT)
	s.exits(call, 130)
}

// A process that stays, in a language that reads lines and bytes.
const resident = `
use strict; binmode STDIN; binmode STDOUT; $| = 1;
my $n = 0;
while (my $head = <STDIN>) {
    my ($size) = $head =~ /"size":(\d+)/;
    read(STDIN, my $payload, $size) == $size or die if $size;
    my $result = ++$n . " $payload";
    print qq({"type":"warning","size":4}\ncare), qq({"type":"complete","size":), length $result, "}\n", $result;
}`

func TestPrefork(t *testing.T) {
	harness.Need(t, "perl")
	eachServer(t, func(s *stage) {
		s.works("f", "--prefork", "--", "perl", "-e", resident)
		s.says(result{stdout: "1 hello", stderr: "care\n"}, "", "submit", "f", "hello")
		s.says(result{stdout: "2 again", stderr: "care\n"}, "", "submit", "f", "again")
		s.says(result{stdout: "3 ", stderr: "care\n"}, "", "submit", "f")
	})
}
