package network

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

const (
	peers    = 10 // clients, and as many workers
	function = "over the wire"

	// patience is how long a peer waits before it connects again, and how long the
	// server waits for a word, or a confirmation, of one that is silent.
	patience = 3 * time.Second

	// atLeast is how long the server waits at least: within that time a job belongs
	// to the worker that has it, whatever happens to the network.
	atLeast = 2 * time.Second
)

// asking are the settings of a server that waits for silent peers so long.
var asking = []string{"--keepalive-idle", "1s", "--keepalive-interval", "1s", "--keepalive-count", "2", "--tcp-user-timeout", "3s"}

// A stage is a server at one end of a wire, and what is written down of it.
type stage struct {
	*testing.T
	*wire
	book   *judge.Book
	addr   string
	dir    string
	server *harness.Server
	args   []string
}

var ports atomic.Int64

func newStage(t *testing.T, w *wire, args ...string) *stage {
	t.Helper()
	s := &stage{T: t, wire: w, book: judge.New(), addr: fmt.Sprintf("%s:%d", near, 20000+ports.Add(1)), dir: t.TempDir(), args: args}
	s.start()
	return s
}

func (s *stage) start() {
	s.Helper()
	s.server = harness.GearboltAt(s.T, s.addr, s.dir, s.args...)
	s.book.Started()
}

// A load is peers at work.
type load struct {
	*stage
	submitting, working chan struct{} // closed when they are to end
	clients, workers    sync.WaitGroup
	tokens              atomic.Int64
	reconnected         atomic.Int64
}

func (s *stage) load() *load {
	l := &load{stage: s, submitting: make(chan struct{}), working: make(chan struct{})}
	for range peers {
		l.clients.Go(func() { l.again(l.submitting, l.submit) })
		l.workers.Go(func() { l.again(l.working, l.work) })
	}
	return l
}

// again has a peer connect, until over is closed.
func (l *load) again(over <-chan struct{}, peer func(*judge.Line, <-chan struct{})) {
	for {
		select {
		case <-over:
			return
		default:
		}
		if c, err := l.dial(l.addr, patience); err == nil {
			peer(judge.NewLine(c), over)
			l.reconnected.Add(1)
		}
	}
}

// submit submits one job after the other, until the connection is lost.
func (l *load) submit(line *judge.Line, over <-chan struct{}) {
	c := l.book.ClientOn(line)
	defer c.Close()
	for {
		select {
		case <-over:
			return
		default:
		}
		token := fmt.Sprintf("job %d", l.tokens.Add(1))
		c.Conn.SetDeadline(time.Now().Add(patience))
		c.Submit(&judge.Job{Token: token, Type: protocol.SubmitJobBG, Function: function, Payload: token + "|" + strings.Repeat("x", 1000)})
		if _, err := c.Answer(); err != nil && !errors.Is(err, judge.ErrRefused) {
			return
		}
	}
}

// work does jobs until the connection is lost. One that hears nothing connects
// again: it cannot know whether there is nothing to do.
func (l *load) work(line *judge.Line, over <-chan struct{}) {
	w := l.book.WorkerOn(line, function)
	defer w.Close()
	w.Lease = atLeast
	for {
		select {
		case <-over:
			return
		default:
		}
		w.Conn.SetDeadline(time.Now().Add(patience))
		a, err := w.Next()
		if err != nil {
			return
		}
		w.End(a.Handle, protocol.WorkComplete, "")
	}
}

// finish has the clients end, all that there is be done, and the workers end.
// Then it holds the book against the server, whose connections are all to be
// gone.
func (l *load) finish() {
	l.Helper()
	close(l.submitting)
	l.clients.Wait()
	harness.Await(l, "all jobs are done", func() bool { return len(l.list("show jobs")) == 0 })
	close(l.working)
	l.workers.Wait()
	harness.Await(l, "all connections are gone", func() bool { return len(l.list("workers")) == 1 })
	l.balance()
	l.Logf("%+v, %d connections", l.book.Totals(), l.reconnected.Load())
}

// balance holds the book against the server.
func (s *stage) balance() {
	s.Helper()
	server, err := s.book.Look(s.addr)
	if err != nil {
		s.Fatalf("%v\n%s", err, s.server.Output())
	}
	judge.Report(s, s.book.Judge(&judge.After{Server: server}))
}

// list asks the server something from its own side.
func (s *stage) list(command string) []string {
	s.Helper()
	l, err := judge.Dial(s.addr)
	if err != nil {
		s.Fatalf("%v\n%s", err, s.server.Output())
	}
	defer l.Close()
	lines, err := l.List(command)
	if err != nil {
		s.Fatal(err)
	}
	return lines
}
