package clients

import (
	"fmt"
	"strings"

	"gearbolt/integration/harness"
)

// Scenarios about what a client gets to see of its job.

func roundTrip(s *stage) {
	s.worker("f=reverse")
	c := s.client()
	s.want(c.ask("run f normal none %s", hexOf("hello")), reversed("hello"))
	s.want(c.ask("run f normal none %s", hexOf("again")), reversed("again"))
}

// allByteValues is a payload in which every byte value occurs, NUL first.
func allByteValues() string {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}

func allBytes(s *stage) {
	s.worker("f=reverse")
	s.want(s.client().ask("run f normal none %s", hexOf(allByteValues())), reversed(allByteValues()))
}

func empty(s *stage) {
	s.worker("f=reverse")
	s.want(s.client().ask("run f normal none "), "complete ")
}

func large(s *stage) {
	size := min(s.onClient.size(), s.onWorker.size())
	payload := strings.Repeat("0123456789abcdef", size/16)
	s.worker("f=reverse")
	s.want(s.client().ask("run f normal none %s", hexOf(payload)), reversed(payload))
}

// shares says status n of d as a percentage, since one library knows no other.
func shares(event string) string {
	var n, d int
	if _, err := fmt.Sscanf(event, "status %d %d", &n, &d); err != nil || d == 0 {
		return event
	}
	return fmt.Sprintf("status %d%%", 100*n/d)
}

func statusUpdates(s *stage) {
	w := s.worker("f=progress")
	c := s.client()
	c.say("run f normal none %s", hexOf("x"))
	w.expect("job f " + hexOf("x"))
	w.say("go")
	a := c.answer()
	for i := range a {
		a[i] = shares(a[i])
	}
	s.want(a, "status 30%, "+reversed("x"))
}

func statusByHandle(s *stage) {
	w := s.worker("f=progress")
	c := s.client()
	handle := c.ask("bg f normal none %s", hexOf("x")).handle()
	w.expect("job f " + hexOf("x"))
	harness.Await(s, "the status of the running job is told", func() bool {
		var known, running, n, d int
		fmt.Sscanf(c.ask("state %s", handle).events(), "state %d %d %d %d", &known, &running, &n, &d)
		return known == 1 && running == 1 && d > 0 && 10*n == 3*d
	})
	w.say("go")
	s.idle("f")
	if a := c.ask("state %s", handle).events(); !strings.HasPrefix(a, "state 0 0 ") {
		s.Fatalf("after its end the job's status is %q", a)
	}
}

func dataChunks(s *stage) {
	s.worker("f=data")
	want := fmt.Sprintf("data %s, data %s, complete %s", hexOf("one"), hexOf("two"), hexOf("done"))
	s.want(s.client().ask("run f normal none %s", hexOf("x")), want)
}

func warnings(s *stage) {
	s.worker("f=warning")
	want := fmt.Sprintf("warning %s, complete %s", hexOf("careful"), hexOf("done"))
	s.want(s.client().ask("run f normal none %s", hexOf("x")), want)
}

// ending plays a job that ends without a result, and then one more with the
// same client and worker: neither may be out of step.
func ending(s *stage, behaviour, want string, options ...string) {
	w := s.worker("f="+behaviour, "g=reverse")
	c := s.client(options...)
	s.want(c.ask("run f normal none %s", hexOf("x")), want)
	s.want(c.ask("run g normal none %s", hexOf("next")), reversed("next"))
	w.expect("job f " + hexOf("x"))
	w.expect("job g " + hexOf("next"))
}

func failing(s *stage) { ending(s, "fail", "fail") }

func exceptions(s *stage) { ending(s, "exception", "exception "+hexOf("boom"), "exceptions") }

func exceptionAsFail(s *stage) { ending(s, "exception", "fail") }

func ping(s *stage) {
	s.want(s.client().ask("ping %s", hexOf("are you\x00there")), "pong")
}
