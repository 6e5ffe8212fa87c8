package jobs

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

const function = "difficult"

// A stage is a server, what is written down about it, and its store.
type stage struct {
	*testing.T
	book   *judge.Book
	addr   string
	dir    string
	args   []string
	server *harness.Server
}

func newStage(t *testing.T, args ...string) *stage {
	s := &stage{T: t, book: judge.New(), addr: harness.FreeAddr(t), dir: t.TempDir(), args: args}
	s.start()
	return s
}

func (s *stage) start() {
	s.server = harness.GearboltAt(s.T, s.addr, s.dir, s.args...)
	s.book.Started()
}

func (s *stage) kill() {
	s.server.Kill()
	s.book.Died()
}

// balance holds the book against the server, and returns the jobs that it has.
func (s *stage) balance() []string {
	s.Helper()
	server, err := s.book.Look(s.addr)
	if err != nil {
		s.Fatal(err)
	}
	judge.Report(s, s.book.Judge(&judge.After{Server: server}))
	return server.Jobs
}

func (s *stage) client() *judge.Client {
	s.Helper()
	c, err := s.book.Client(s.addr)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(c.Close)
	c.Conn.SetDeadline(time.Now().Add(judge.Patience))
	return c
}

func (s *stage) worker() *judge.Worker {
	s.Helper()
	w, err := s.book.Worker(s.addr, function)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(w.Close)
	w.Conn.SetDeadline(time.Now().Add(judge.Patience))
	return w
}

// submit submits a job and returns its handle.
func (s *stage) submit(c *judge.Client, kind protocol.Type, token string) string {
	s.Helper()
	c.Submit(&judge.Job{Token: token, Type: kind, Function: function, Payload: token + "|"})
	handle, err := c.Answer()
	if err != nil {
		s.Fatal(err)
	}
	return handle
}

// take has a worker get the next job, which is the one with a handle.
func (s *stage) take(w *judge.Worker, handle string) {
	s.Helper()
	if a, err := w.Next(); err != nil || a.Handle != handle {
		s.Fatalf("the worker got %v, %v, not %s", a, err, handle)
	}
}

// hears reads what a client is told next of a job.
func (s *stage) hears(c *judge.Client, kind protocol.Type, args ...string) {
	s.Helper()
	p, err := c.Receive()
	if err != nil || p.Type != kind || !slices.Equal(p.Args, args) {
		s.Errorf("the client was told %v, %v, not %s %q", p, err, kind, args)
	}
}

// settled waits until all that was said before on a connection is done, and
// fails if there was an answer to it.
func (s *stage) settled(l *judge.Line) {
	s.Helper()
	if _, err := l.Ask(protocol.EchoRes, protocol.EchoReq, "settled"); err != nil {
		s.Fatal(err)
	}
	l.Conn.SetDeadline(time.Now().Add(judge.Patience))
}

// shown returns the line of "show jobs" about a job, or "".
func (s *stage) shown(handle string) string {
	s.Helper()
	lines, err := s.client().List("show jobs")
	if err != nil {
		s.Fatal(err)
	}
	for _, l := range lines {
		if strings.HasPrefix(l, handle+"\t") {
			return l
		}
	}
	return ""
}
