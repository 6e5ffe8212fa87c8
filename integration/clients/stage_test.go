package clients

import (
	"encoding/hex"
	"strings"
	"testing"

	"gearbolt/integration/harness"
)

// A stage is what a scenario plays on: a server, and the peers for the two
// parts.
type stage struct {
	testing.TB
	server   *harness.Server
	onClient *peer
	onWorker *peer
}

// worker starts a worker and waits until the server knows all its functions.
func (s *stage) worker(specs ...string) *program {
	s.Helper()
	return s.anotherWorker(1, specs...)
}

// anotherWorker starts a worker for functions that n workers then serve.
func (s *stage) anotherWorker(n int, specs ...string) *program {
	s.Helper()
	w := s.onWorker.worker(s, s.server.Addr, specs...)
	for _, spec := range specs {
		function, _, _ := strings.Cut(spec, "=")
		s.awaitWorkers(function, n)
	}
	return w
}

// awaitWorkers waits until n workers serve a function.
func (s *stage) awaitWorkers(function string, n int) {
	s.Helper()
	harness.Await(s, "the workers of "+function+" are known", func() bool {
		return status(s, s.server.Addr, function).workers == n
	})
}

// client starts a client.
func (s *stage) client(options ...string) *program {
	s.Helper()
	return s.onClient.client(s, s.server.Addr, options...)
}

// idle waits until the server has no job of a function in its books.
func (s *stage) idle(function string) {
	s.Helper()
	harness.Await(s, "no job of "+function+" is left", func() bool {
		return status(s, s.server.Addr, function).total == 0
	})
}

// want fails the test unless an answer has the events given.
func (s *stage) want(a answer, events string) {
	s.Helper()
	if got := a.events(); got != events {
		s.Fatalf("the client saw %s, want %s", short(got), short(events))
	}
}

// reversed is the event of a result whose bytes are the payload's backwards.
func reversed(payload string) string {
	b := []byte(payload)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return "complete " + hex.EncodeToString(b)
}

func hexOf(s string) string { return hex.EncodeToString([]byte(s)) }
