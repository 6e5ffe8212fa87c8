package work

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// reside is a process that stays, as the package describes it. The payload's
// first word says what it is to do.
func reside() {
	in := bufio.NewReader(os.Stdin)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var job struct {
			Function, Handle, Unique string
			Size                     int
		}
		if err := json.Unmarshal(line, &job); err != nil {
			panic(err)
		}
		payload := make([]byte, job.Size)
		if _, err := io.ReadFull(in, payload); err != nil {
			panic(err)
		}
		word, rest, _ := strings.Cut(string(payload), " ")
		if f := deeds[word]; f != nil {
			f(rest)
			continue
		}
		say(fmt.Sprintf("%d %s %s %s %d", n, job.Function, job.Handle, job.Unique, job.Size), `"type":"complete"`)
	}
}

func say(data, head string) { fmt.Printf("{%s,\"size\":%d}\n%s", head, len(data), data) }

var deeds = map[string]func(rest string){
	"report": func(string) {
		say("part", `"type":"data"`)
		say("care", `"type":"warning"`)
		say("", `"type":"progress","done":1,"of":2`)
		say("end", `"type":"complete"`)
	},
	"fail":    func(string) { fmt.Println(`{"type":"fail"}`) },
	"raise":   func(string) { say("oops", `"type":"exception"`) },
	"die":     func(string) { os.Exit(7) },
	"babble":  func(string) { fmt.Println("hello") },
	"strange": func(string) { say("", `"type":"strange"`) },
	"huge":    func(string) { fmt.Println(`{"type":"complete","size":99999999}`) },
	"hang": func(path string) {
		os.WriteFile(path, fmt.Appendln(nil, os.Getpid()), 0o600)
		time.Sleep(time.Hour) // somebody ends it
	},
}

func prefork(t *testing.T, change func(*Options)) *Prefork {
	t.Helper()
	o := options([]string{"/proc/self/exe", "resident"})
	if change != nil {
		change(&o)
	}
	p, err := NewPrefork(o, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func (p *Prefork) wants(t *testing.T, payload, want string) {
	t.Helper()
	got, err := p.do(t.Context(), new(listener).task(payload))
	if err != nil {
		got = []byte(err.Error())
	}
	if !strings.HasPrefix(string(got), want) {
		t.Errorf("%.40q: got %q, want %q", payload, got, want)
	}
}

func TestOneProcessTakesManyJobs(t *testing.T) {
	p := prefork(t, nil)
	p.wants(t, "x", "1 f H:x:1 u 1")
	p.wants(t, "fail", "the function failed")
	p.wants(t, "raise", "exception: oops")
	p.wants(t, strings.Repeat("y", 1<<20), "4 f H:x:1 u 1048576")
	var l listener
	got, err := p.do(t.Context(), l.task("report"))
	if string(got) != "end" || err != nil || l.all() != "data partwarning careprogress 1/2" {
		t.Errorf("got %q, %v, %q", got, err, l.said)
	}
}

func TestProcessesAreReplaced(t *testing.T) {
	p := prefork(t, nil)
	for payload, want := range map[string]string{
		"die":     "exception: the process gave no answer: EOF (exit status 7)",
		"babble":  `exception: the process answered with "hello\n", which is no line of JSON`,
		"strange": `exception: the process answered with the type "strange"`,
		"huge":    "exception: the process announced 99999999 bytes",
	} {
		p.wants(t, payload, want)
		p.wants(t, "x", "1 f H:x:1 u 1") // the first job of another process
	}
}

func TestTimeEndsAResident(t *testing.T) {
	t.Parallel()
	p := prefork(t, func(o *Options) { o.Timeout = 4 * time.Second })
	pid := filepath.Join(t.TempDir(), "pid")
	p.wants(t, "hang "+pid, "exception: not done in 4s")
	awaitDeath(t, readPID(t, pid))
	p.wants(t, "x", "1 f")
}

func TestCancelledResident(t *testing.T) {
	p := prefork(t, nil)
	pid := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		await(t, pid)
		cancel()
	}()
	if _, err := p.do(ctx, new(listener).task("hang "+pid)); err != context.Canceled {
		t.Errorf("got %v", err)
	}
	awaitDeath(t, readPID(t, pid))
}

func TestPreforkFailsAtOnce(t *testing.T) {
	if p, err := NewPrefork(options([]string{"/nonexistent"}), 2); err == nil {
		p.Close()
		t.Error("got no error")
	}
}
