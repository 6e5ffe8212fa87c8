package upgrade

import (
	"bufio"
	"context"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gearbolt/clients"
	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
)

// runs counts how often jobs were run, by token.
type runs struct {
	mu sync.Mutex
	of map[string]int
}

func (r *runs) add(token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of[token]++
}

func (r *runs) count(token string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.of[token]
}

// A language is whose library a worker is written with.
type language struct {
	name  string
	check []string // fails where the library is not installed
	run   []string
	slow  bool // it waits for 10 s before it comes back to a server that was lost

	// Its library waits for ever when the connection is lost while it is being
	// made, so its supervisor starts it again whenever the server was.
	forgetful bool
}

const peers = "../clients/"

// languages are the workers that are programs of their own. Each does the
// function that is named like it.
func languages(t *testing.T) []language {
	c := filepath.Join(t.TempDir(), "worker")
	return []language{
		{name: "c", check: []string{"gcc", "-o", c, peers + "c/worker.c", peers + "c/line.c", "-lgearman"}, run: []string{c}},
		{name: "perl", check: []string{"perl", "-MGearman::Worker", "-e", "1"}, run: []string{"perl", peers + "perl/worker.pl"}, slow: true},
		{name: "php", check: []string{"php", "-r", "exit(class_exists('GearmanWorker') ? 0 : 1);"}, run: []string{"php", peers + "php/worker.php"}},
		{name: "node", check: []string{"node", "-e", "require('" + peers + "node/node_modules/abraxas')"}, run: []string{"node", peers + "node/abraxas-worker.js"}, forgetful: true},
	}
}

// start runs the worker until the end of the test. One that gives up when it
// loses its server is started again, as a supervisor would; again does so with
// one that does not give up.
func (l language) start(t *testing.T, port string, r *runs) (again func()) {
	t.Helper()
	harness.Need(t, l.check[0])
	if out, err := exec.Command(l.check[0], l.check[1:]...).CombinedOutput(); err != nil {
		harness.Missing(t, l.name+": "+err.Error()+": "+string(out))
	}
	ctx, cancel := context.WithCancel(context.Background())
	ends := make(chan context.CancelFunc, 1) // of the worker that runs
	var over sync.WaitGroup
	over.Go(func() {
		for ctx.Err() == nil {
			life, end := context.WithCancel(ctx)
			ends <- end
			l.live(life, port, r)
			select {
			case <-ends: // nobody has ended it
			default:
			}
			end()
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond): // as a supervisor would wait
			}
		}
	})
	t.Cleanup(func() { cancel(); over.Wait() })
	return func() {
		select {
		case end := <-ends:
			end()
		default: // it is being started
		}
	}
}

// live is one life of the worker.
func (l language) live(ctx context.Context, port string, r *runs) {
	cmd := exec.CommandContext(ctx, l.run[0], append(l.run[1:], "127.0.0.1", port, l.name+"=reverse")...)
	stdin, theirs, err := os.Pipe()
	if err != nil {
		return
	}
	defer theirs.Close() // it reads from it, and ends at its end
	defer stdin.Close()
	cmd.Stdin = stdin
	out, err := cmd.StdoutPipe()
	if err != nil || cmd.Start() != nil {
		return
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) != 3 || words[0] != "job" {
			continue
		}
		if payload, err := hex.DecodeString(words[2]); err == nil {
			r.add(judge.TokenOf(string(payload)))
		}
	}
	cmd.Wait()
}

// startGo starts a worker with our library.
func startGo(t *testing.T, addr string, r *runs) {
	t.Helper()
	w, err := clients.NewWorker(clients.Config{Servers: []string{addr}}, 4)
	if err != nil {
		t.Fatal(err)
	}
	w.Handle("go", func(_ context.Context, job *clients.Job) ([]byte, error) {
		r.add(judge.TokenOf(string(job.Payload)))
		return nil, nil
	})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
}
