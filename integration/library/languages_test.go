package library

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"gearbolt/clients"
	"gearbolt/integration/harness"
)

// languages start a worker in another language, which reverses payloads. They
// are the workers of the client tests.
var languages = map[string]func(t *testing.T) []string{
	"c": compileC,
	"perl": func(t *testing.T) []string {
		needs(t, "perl", "-MGearman::Worker", "-e", "1")
		return []string{"perl", "../clients/perl/worker.pl"}
	},
	"php": func(t *testing.T) []string {
		needs(t, "php", "-r", "exit(class_exists('GearmanWorker') ? 0 : 1);")
		return []string{"php", "../clients/php/worker.php"}
	},
}

// needs runs a command that fails where a library is not installed.
func needs(t *testing.T, command ...string) {
	t.Helper()
	harness.Need(t, command[0])
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		harness.Missing(t, fmt.Sprintf("%q: %v: %.200s", command, err, out))
	}
}

func compileC(t *testing.T) []string {
	t.Helper()
	harness.Need(t, "gcc")
	bin := filepath.Join(t.TempDir(), "worker")
	cmd := exec.Command("gcc", "-o", bin, "../clients/c/worker.c", "../clients/c/line.c", "-lgearman")
	if out, err := cmd.CombinedOutput(); err != nil {
		harness.Missing(t, fmt.Sprintf("the C worker cannot be built: %v: %.200s", err, out))
	}
	return []string{bin}
}

// startWorker starts a program that does jobs, as each FUNCTION=BEHAVIOUR says,
// and comes back by itself to a server that was lost; one that gives up is
// started again.
func startWorker(t *testing.T, b *bench, command []string, functions ...string) {
	t.Helper()
	args := slices.Concat(command[1:], []string{"127.0.0.1", b.server.Port()}, functions)
	end := make(chan struct{})
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			cmd := exec.Command(command[0], args...)
			if _, err := cmd.StdinPipe(); err != nil || cmd.Start() != nil {
				return
			}
			gone := make(chan struct{})
			go func() { cmd.Wait(); close(gone) }()
			select {
			case <-gone:
				time.Sleep(50 * time.Millisecond) // as a supervisor would, before it starts it again
			case <-end:
				cmd.Process.Kill()
				<-gone
				return
			}
		}
	}()
	t.Cleanup(func() { close(end); <-over })
}

// A server is killed and started again under workers in C, Perl, PHP and Go:
// calls go on. Perl's library takes 10 s to come back, which is most of the time.
func TestWorkersOfAllLanguagesUnderRestarts(t *testing.T) {
	for _, name := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, dir := newBench(t, name), t.TempDir()
			functions := []string{"go"}
			b.worker(4, "go", reverse)
			for function, command := range languages {
				startWorker(t, b, command(t), function+"=reverse")
				functions = append(functions, function)
			}
			c := b.client()
			for range 2 {
				callAll(t, b, c, functions)
				b.server.Kill()
				b.server = launch(t, name, b.server.Addr, dir)
			}
			callAll(t, b, c, functions)
		})
	}
}

// callAll calls each function 50 times, all at once.
func callAll(t *testing.T, b *bench, c *clients.Client, functions []string) {
	t.Helper()
	var all sync.WaitGroup
	for _, f := range functions {
		for i := range 50 {
			all.Go(func() {
				payload := fmt.Appendf(nil, "%s %d", f, i)
				got, err := c.Call(b.ctx, f, payload, clients.WaitForServer(), clients.Retry(3))
				if err != nil || string(got) != string(reversed(payload)) {
					t.Errorf("%s: %q, %v", payload, got, err)
				}
			})
		}
	}
	all.Wait()
}
