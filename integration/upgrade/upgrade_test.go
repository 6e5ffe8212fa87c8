package upgrade

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"

	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

var restarts = flag.Int("restarts", 5, "how often the server is stopped and started under its peers")

const (
	budget = 100 // jobs of one function in one life of the server, at most
	window = 8   // submissions that wait for their JOB_CREATED
)

// A site is a server with workers in all languages.
type site struct {
	*testing.T
	book   *judge.Book
	addr   string
	dir    string
	server *harness.Server
	ran    *runs
	prompt []string // functions whose workers come back at once
	slow   []string
	again  []func() // start a worker again
	acked  []string // tokens; of one submitter at a time
}

func TestRestartsUnderWorkersOfAllLanguages(t *testing.T) {
	s := &site{T: t, book: judge.New(), addr: harness.FreeAddr(t), dir: t.TempDir(), ran: &runs{of: make(map[string]int)}}
	s.start()
	for _, l := range languages(t) {
		again := l.start(t, s.server.Port(), s.ran)
		if l.forgetful {
			s.again = append(s.again, again)
		}
		if l.slow {
			s.slow = append(s.slow, l.name)
		} else {
			s.prompt = append(s.prompt, l.name)
		}
	}
	startGo(t, s.addr, s.ran)
	s.prompt = append(s.prompt, "go")
	for n := range *restarts {
		s.serves(s.prompt)
		stopped := s.submitting()
		s.stop(n%2 == 0)
		stopped.Wait()
		s.start()
		for _, again := range s.again {
			again()
		}
	}
	s.serves(append(s.prompt, s.slow...))
	s.account()
}

func (s *site) start() {
	s.server = harness.GearboltAt(s.T, s.addr, s.dir)
	s.book.Started()
}

// stop ends the server, kindly or not.
func (s *site) stop(kindly bool) {
	if !kindly {
		s.server.Kill()
		s.book.Died()
		return
	}
	if err := s.server.Signal(syscall.SIGTERM); err != nil {
		s.Fatal(err)
	}
	if err := s.server.Wait(judge.Patience); err != nil {
		s.Fatalf("the server ended with %v\n%s", err, s.server.Output())
	}
	s.book.Ended()
}

// serves submits a job for each function, and waits until all have run.
func (s *site) serves(functions []string) {
	s.Helper()
	c := s.client()
	defer c.Close()
	var tokens []string
	for _, f := range functions {
		j := s.job(f, 0)
		c.Submit(j)
		if _, err := c.Answer(); err != nil {
			s.Fatal(err)
		}
		tokens = append(tokens, j.Token)
	}
	s.acked = append(s.acked, tokens...)
	for i, token := range tokens {
		harness.Await(s, functions[i]+" serves", func() bool { return s.ran.count(token) > 0 })
	}
}

func (s *site) client() *judge.Client {
	s.Helper()
	c, err := s.book.Client(s.addr)
	if err != nil {
		s.Fatal(err)
	}
	return c
}

// job is a job of a function; workers show the first 32 bytes of its payload.
func (s *site) job(function string, n int) *judge.Job {
	token := fmt.Sprintf("%s-%d-%d", function, s.book.Life(), n)
	return &judge.Job{Token: token, Type: protocol.SubmitJobBG, Function: function, Payload: token + "|" + strings.Repeat("x", n)}
}

// submitting submits jobs for all functions until the server is gone, and
// returns when some are acknowledged.
func (s *site) submitting() *sync.WaitGroup {
	c, all := s.client(), append(s.prompt, s.slow...)
	var over sync.WaitGroup
	some := make(chan struct{})
	enough := sync.OnceFunc(func() { close(some) })
	over.Go(func() {
		defer c.Close()
		defer enough()
		var waiting []string
		for n := range budget * len(all) {
			j := s.job(all[n%len(all)], 1+n)
			c.Submit(j)
			if waiting = append(waiting, j.Token); len(waiting) < window {
				continue
			}
			if _, err := c.Answer(); err != nil {
				break
			}
			s.acked, waiting = append(s.acked, waiting[0]), waiting[1:]
			if n == window+len(all) {
				enough()
			}
		}
		for len(waiting) > 0 {
			if _, err := c.Answer(); err != nil {
				return
			}
			s.acked, waiting = append(s.acked, waiting[0]), waiting[1:]
		}
	})
	<-some
	return &over
}

// account waits until the queues are empty. Then every acknowledged job has
// been run, and nothing else.
func (s *site) account() {
	l, err := judge.Dial(s.addr)
	if err != nil {
		s.Fatal(err)
	}
	defer l.Close()
	harness.Await(s, "no job is left", func() bool {
		jobs, err := l.List("show jobs")
		return err == nil && len(jobs) == 0
	})
	for _, token := range s.acked {
		if s.ran.count(token) == 0 {
			s.Errorf("%s was acknowledged, is gone, and was not run", token)
		}
	}
	s.ran.mu.Lock()
	defer s.ran.mu.Unlock()
	again := 0
	for token, n := range s.ran.of {
		again += n - 1
		if s.book.Job(token) == nil {
			s.Errorf("%q was run, and nobody submitted it", token)
		}
	}
	s.Logf("%d restarts: %d jobs acknowledged, all run; %d ran again", *restarts, len(s.acked), again)
}
