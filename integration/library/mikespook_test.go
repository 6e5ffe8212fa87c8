package library

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"gearbolt/clients"
)

// compileMikespook makes the program that puts github.com/mikespook/gearman-go
// behind the line protocol of the client tests. The library has data races of
// its own, as when a worker is closed, so that it is not run in this process.
func compileMikespook(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "mikespook")
	if out, err := exec.Command("go", "build", "-o", bin, "../clients/mikespook").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return bin
}

// Our client, and a worker of github.com/mikespook/gearman-go. Its jobs run one
// by one: what it says while several run is garbled.
func TestMikespookWorker(t *testing.T) {
	bin := compileMikespook(t)
	onBoth(t, func(t *testing.T, b *bench) {
		startWorker(t, b, []string{bin, "worker"}, "reverse=reverse", "fail=fail", "raise=exception")
		callMikespook(t, b)
	})
}

func callMikespook(t *testing.T, b *bench) {
	c := b.client()
	var calls sync.WaitGroup
	for i := range 200 {
		calls.Go(func() {
			payload := bytes.Repeat([]byte{byte(i)}, 10*i)
			if got, err := c.Call(b.ctx, "reverse", payload); err != nil || !bytes.Equal(got, reversed(payload)) {
				t.Errorf("%d: %d bytes, %v", i, len(got), err)
			}
		})
	}
	calls.Wait()
	if _, err := c.Call(b.ctx, "fail", nil); !errors.Is(err, clients.ErrFailed) {
		t.Error(err)
	}
	_, err := c.Call(b.ctx, "raise", nil)
	if e := new(clients.Exception); !errors.As(err, &e) || string(e.Data) != "boom" {
		t.Error(err)
	}
}

// The client of github.com/mikespook/gearman-go, and our worker.
func TestMikespookClient(t *testing.T) {
	bin := compileMikespook(t)
	onBoth(t, func(t *testing.T, b *bench) {
		b.worker(8, "f", func(_ context.Context, job *clients.Job) ([]byte, error) {
			return reversed(job.Payload), errors.Join(job.Data([]byte("part")), job.Progress(1, 2))
		})
		ask := startClient(t, b, bin, "client")
		if got, want := ask("many f 100"), "right 100\nend\n"; got != want {
			t.Errorf("100 jobs at once: %q, want %q", got, want)
		}
		got, handle := ask(fmt.Sprintf("run f normal none %x", "abc")), ""
		want := fmt.Sprintf("data %x\nstatus 1 2\ncomplete %x\ncreated ", "part", "cba")
		if _, err := fmt.Sscanf(got, want+"%s\nend\n", &handle); err != nil || handle == "" {
			t.Errorf("one job: %q (%v), want %q", got, err, want)
		}
	})
}

// startClient starts a program that answers each line with some, the last of
// which is "end".
func startClient(t *testing.T, b *bench, command ...string) (ask func(line string) string) {
	t.Helper()
	cmd := exec.CommandContext(b.ctx, command[0], append(command[1:], "127.0.0.1", b.server.Port())...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); cmd.Wait() })
	lines := bufio.NewReader(stdout)
	return func(line string) (answer string) {
		t.Helper()
		io.WriteString(stdin, line+"\n")
		for {
			l, err := lines.ReadString('\n')
			if answer += l; err != nil {
				t.Fatalf("%s: %q, then %v", line, answer, err)
			}
			if l == "end\n" {
				return answer
			}
		}
	}
}
