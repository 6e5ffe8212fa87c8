package clients

import (
	"strings"

	"gearbolt/integration/harness"
)

// Scenarios about which jobs run, where, and when.

func background(s *stage) {
	w := s.worker("f=hold")
	s.want(s.client().ask("bg f normal none %s", hexOf("x")), "")
	w.expect("job f " + hexOf("x"))
	if b := status(s, s.server.Addr, "f"); b.total != 1 || b.running != 1 {
		s.Fatalf("the books say %+v of a running job", b)
	}
	w.say("go")
	s.idle("f")
}

func priorities(s *stage) {
	c := s.client()
	for _, priority := range []string{"low", "normal", "high"} {
		s.want(c.ask("bg f %s none %s", priority, hexOf(priority)), "")
	}
	w := s.worker("f=reverse")
	for _, priority := range []string{"high", "normal", "low"} {
		w.expect("job f " + hexOf(priority))
	}
}

func coalescing(s *stage) {
	w := s.worker("f=hold")
	first, second := s.client(), s.client()
	first.say("run f normal same %s", hexOf("one"))
	w.expect("job f " + hexOf("one"))
	second.say("run f normal same %s", hexOf("one"))
	conn := dial(s, s.server.Addr)
	harness.Await(s, "two clients wait for the job", func() bool { return listeners(s, conn, "same") == "2" })
	w.say("go")
	s.want(first.answer(), reversed("one"))
	s.want(second.answer(), reversed("one"))
	// The worker's next job is the next one: it had that one only once.
	first.say("run f normal other %s", hexOf("two"))
	w.expect("job f " + hexOf("two"))
	w.say("go")
	s.want(first.answer(), reversed("two"))
}

func workerCrash(s *stage) {
	doomed := s.worker("f=hold")
	c := s.client()
	c.say("run f normal none %s", hexOf("x"))
	doomed.expect("job f " + hexOf("x"))
	heir := s.anotherWorker(2, "f=reverse")
	doomed.kill()
	heir.expect("job f " + hexOf("x"))
	s.want(c.answer(), reversed("x"))
	s.awaitWorkers("f", 1)
}

// overdue plays a job that its first worker holds for longer than the second
// that it promised.
func overdue(s *stage) (slow, c *program) {
	slow = s.worker("f=hold=1000", "g=reverse")
	c = s.client()
	c.say("run f normal none %s", hexOf("x"))
	slow.expect("job f " + hexOf("x"))
	heir := s.anotherWorker(2, "f=reverse")
	heir.expect("job f " + hexOf("x"))
	s.want(c.answer(), reversed("x"))
	return slow, c
}

func timeout(s *stage) { overdue(s) }

// lateResult has a worker say its word about a job that it has lost: nothing
// may come of it, and the worker goes on with other work.
func lateResult(s *stage) {
	slow, c := overdue(s)
	slow.say("go")
	s.want(c.ask("run g normal none %s", hexOf("next")), reversed("next"))
	slow.expect("job g " + hexOf("next"))
}

func parallel(s *stage) {
	s.worker("f=reverse")
	s.anotherWorker(2, "f=reverse")
	s.want(s.client().ask("many f 500"), "right 500")
	s.idle("f")
}

func queueFull(s *stage) {
	c := s.client()
	s.want(c.ask("bg f normal none %s", hexOf("fits")), "")
	if got := admin(s, s.server.Addr, "maxqueue f 1")[0]; got != "OK" {
		s.Fatalf("maxqueue: %q", got)
	}
	a := c.ask("bg f normal none %s", hexOf("too much")).events()
	if !strings.HasPrefix(a, "error ") || !strings.Contains(a, s.onClient.refusal) {
		s.Fatalf("the client says %q of a full queue, want an error about %s", a, s.onClient.refusal)
	}
	if b := status(s, s.server.Addr, "f"); b.total != 1 {
		s.Fatalf("the books say %+v, want one job", b)
	}
}

// restart kills the server as a power cut would and starts it again with the
// same address and data.
func (s *stage) restart() {
	s.Helper()
	s.server.Kill()
	s.server = harness.GearboltAt(s, s.server.Addr, s.server.DataDir)
}

func survivesKill(s *stage) {
	s.want(s.client().ask("bg f high keep %s", hexOf("x")), "")
	s.restart()
	w := s.worker("f=reverse")
	w.expect("job f " + hexOf("x"))
	s.idle("f")
}

func reconnect(s *stage) {
	w := s.worker("f=reverse")
	c := s.client()
	s.want(c.ask("run f normal none %s", hexOf("before")), reversed("before"))
	w.expect("job f " + hexOf("before"))
	s.restart()
	s.awaitWorkers("f", 1)
	// The call that finds the connection lost may fail; the client has to
	// recover, not to foresee.
	harness.Await(s, "the client is connected again", func() bool {
		return c.ask("run f normal none %s", hexOf("after")).events() == reversed("after")
	})
	w.expect("job f " + hexOf("after"))
}
