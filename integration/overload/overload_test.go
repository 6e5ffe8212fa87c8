package overload

import (
	"flag"
	"slices"
	"strings"
	"testing"
	"time"

	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
)

var (
	span    = flag.Duration("span", time.Second, "how long each rate is offered")
	maxJobs = flag.String("max-jobs", "20000", "jobs that may wait, the server's --max-jobs; 0 is no bound but memory")
)

const (
	workers    = 16
	submitters = 16
	least      = 8000 // submissions a second to begin with
	times      = 5    // as many as it can take

	memory = 256 << 20
)

// A server that is offered five times what it can take goes on, loses nothing and
// does nothing twice, and recovers.
func TestFiveTimesThePeak(t *testing.T) {
	s := harness.Gearbolt(t, "--memory-limit", "256MiB", "--max-jobs", *maxJobs)
	c := newCrowd(t, s)
	for range workers {
		nc := c.dial()
		go c.work(nc) // until the test ends
	}
	peak := 0.0
	for rate := least; ; rate += rate / 2 {
		goodput := c.offer(submitters, rate)
		t.Logf("%7d offered a second, %7.0f done", rate, goodput)
		peak = max(peak, goodput)
		if goodput < 0.8*float64(rate) {
			break
		}
	}
	goodput := c.offer(times*submitters, times*int(peak))
	t.Logf("%7d offered a second, %7.0f done: %.0f %% of the peak", times*int(peak), goodput, 100*goodput/peak)
	c.balance()
}

// offer offers jobs at a rate, and returns how many were done a second meanwhile.
// It goes on until all are answered, and all that were taken are done.
func (c *crowd) offer(connections, rate int) (goodput float64) {
	c.t.Helper()
	began, before, counted := time.Now(), c.done.Load(), make(chan float64, 1)
	time.AfterFunc(*span, func() { counted <- float64(c.done.Load()-before) / time.Since(began).Seconds() })
	c.submit(connections, rate, *span)
	if n := c.server.Memory(c.t, "RssAnon"); n > memory {
		c.t.Errorf("the server has %d MiB of memory of its own", n>>20)
	}
	harness.Await(c.t, "the queue is empty", c.idle)
	return <-counted
}

// idle reports whether the server has no job.
func (c *crowd) idle() bool {
	c.t.Helper()
	l, err := judge.Dial(c.server.Addr)
	if err != nil {
		c.t.Fatal(err)
	}
	defer l.Close()
	status, err := l.List("status")
	if err != nil {
		c.t.Fatal(err)
	}
	return !slices.ContainsFunc(status, func(line string) bool { return strings.Split(line, "\t")[1] != "0" })
}

// balance checks what has become of all submissions.
func (c *crowd) balance() {
	c.t.Helper()
	all := c.last.Load()
	fates := c.fatesOf(all)
	c.t.Logf("%d submissions were sent, %d of them refused, %d were given up before", all, fates[sent|refused], c.givenUp.Load())
	for fate, n := range fates {
		if fate != sent|created|done && fate != sent|refused {
			c.t.Errorf("%d of %d submissions were %s", n, all, fate)
		}
	}
	for text := range c.refusals {
		if !strings.HasPrefix(text, "QUEUE_ERROR Job queue is full: ") {
			c.t.Errorf("some were refused with %q", text)
		}
	}
}

// The check of a crowd's jobs sees a job that is lost, done twice, done although
// it was refused, or not answered.
func TestFates(t *testing.T) {
	c := newCrowd(t, nil)
	wrong := []fate{sent | created, sent | created | done | again, sent | refused | done, sent | done}
	for i, f := range append(wrong, sent|created|done, sent|refused) {
		for _, bit := range []fate{sent, created, refused, done, again} {
			if f&bit != 0 {
				c.becomes(uint32(i+1), bit&^again)
			}
			if f&bit == again {
				c.becomes(uint32(i+1), done)
			}
		}
	}
	fates := c.fatesOf(6)
	for _, f := range wrong {
		if fates[f] != 1 {
			t.Errorf("of %v none is %s", fates, f)
		}
	}
}
