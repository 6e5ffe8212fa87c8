package library

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gearbolt/clients"
	"gearbolt/integration/harness"
)

// The thread on which the harness starts servers stays.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("gearbolt/integration/harness/process.onOneThread"))
}

var servers = []string{"gearbolt", "gearmand"}

// patience is how long a test waits for what must come.
const patience = time.Minute

// onBoth runs a test against each server.
func onBoth(t *testing.T, test func(t *testing.T, b *bench)) {
	for _, name := range servers {
		t.Run(name, func(t *testing.T) { test(t, newBench(t, name)) })
	}
}

// A bench is a server, and what works on it.
type bench struct {
	t      testing.TB
	ctx    context.Context
	server *harness.Server
}

func newBench(t testing.TB, name string) *bench {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 4*patience)
	t.Cleanup(cancel)
	addr := harness.FreeAddr(t)
	return &bench{t: t, ctx: ctx, server: launch(t, name, addr, t.TempDir())}
}

// launch starts a server on an address, for the first time or again.
func launch(t testing.TB, name, addr, dir string) *harness.Server {
	t.Helper()
	if name == "gearbolt" {
		return harness.GearboltAt(t, addr, dir)
	}
	harness.Need(t, "gearmand")
	bin, err := exec.LookPath("gearmand")
	if err != nil {
		bin = "/usr/sbin/gearmand"
	}
	host, port, _ := net.SplitHostPort(addr)
	return harness.Start(t, name, addr, exec.Command(bin, "--listen="+host, "--port="+port, "--log-file=stderr", "--verbose=FATAL"))
}

func (b *bench) config() clients.Config {
	return clients.Config{Servers: []string{b.server.Addr}, Logger: slog.New(slog.DiscardHandler)}
}

func (b *bench) client() *clients.Client { return newClient(b.t, b.config()) }

func newClient(t testing.TB, c clients.Config) *clients.Client {
	t.Helper()
	client, err := clients.NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// worker starts a worker of one function.
func (b *bench) worker(slots int, function string, h clients.Handler, opts ...clients.HandleOption) *clients.Worker {
	b.t.Helper()
	return newWorker(b.t, b.config(), slots, function, h, opts...)
}

func newWorker(t testing.TB, c clients.Config, slots int, function string, h clients.Handler, opts ...clients.HandleOption) *clients.Worker {
	t.Helper()
	w, err := clients.NewWorker(c, slots)
	if err != nil {
		t.Fatal(err)
	}
	w.Handle(function, h, opts...)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// call calls and wants a result.
func (b *bench) call(c *clients.Client, function, payload string, opts ...clients.CallOption) string {
	b.t.Helper()
	got, err := c.Call(b.ctx, function, []byte(payload), opts...)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(got)
}

// admin sends a text command and returns the first line of the answer.
func (b *bench) admin(command string) string {
	b.t.Helper()
	c, err := net.Dial("tcp", b.server.Addr)
	if err != nil {
		b.t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, command+"\n"); err != nil {
		b.t.Fatal(err)
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func reverse(_ context.Context, job *clients.Job) ([]byte, error) { return reversed(job.Payload), nil }

func reversed(b []byte) []byte {
	out := make([]byte, len(b))
	for i, c := range b {
		out[len(b)-1-i] = c
	}
	return out
}

// A gate holds jobs until it is opened.
type gate struct {
	began chan *clients.Job
	open  chan struct{}
}

func newGate() *gate { return &gate{began: make(chan *clients.Job, 100), open: make(chan struct{})} }

func (g *gate) handle(ctx context.Context, job *clients.Job) ([]byte, error) {
	g.began <- job
	select {
	case <-g.open:
		return append([]byte("did "), job.Payload...), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func show(e clients.Event) string {
	switch e.Kind {
	case clients.Created:
		return "created"
	case clients.Progress:
		return fmt.Sprintf("%d/%d", e.Numerator, e.Denominator)
	case clients.Warning:
		return "warning " + string(e.Data)
	case clients.Data:
		return "data " + string(e.Data)
	}
	return "complete " + string(e.Data)
}
