package durability

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

// Keepsakes are jobs that stay for all rounds, one of each kind. In every life
// of the server one of them is tried once more and not finished.
type keepsake struct {
	*judge.Job
	shown    string // what prioritystatus says of its function
	later    bool   // its time is far away
	handle   string
	attempts int
}

func newKeepsakes() []*keepsake {
	year2100 := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	all := []*keepsake{
		{Job: &judge.Job{Type: protocol.SubmitJobHighBG, Function: "keep-high"}, shown: "1\t0\t0"},
		{Job: &judge.Job{Type: protocol.SubmitJobBG, Function: "keep-normal"}, shown: "0\t1\t0"},
		{Job: &judge.Job{Type: protocol.SubmitJobLowBG, Function: "keep-low"}, shown: "0\t0\t1"},
		{Job: &judge.Job{Type: protocol.SubmitReduceJobBG, Function: "keep-reduce", Reducer: "reducer"}, shown: "0\t1\t0"},
		{Job: &judge.Job{Type: protocol.SubmitJobEpoch, Function: "keep-epoch", Due: year2100}, shown: "0\t1\t0", later: true},
		{Job: &judge.Job{Type: protocol.SubmitJobSched, Function: "keep-sched", Sched: [5]string{"0", "0", "29", "2", "*"}}, shown: "0\t1\t0", later: true},
	}
	for _, k := range all {
		k.Token, k.Unique = k.Function, "unique of "+k.Function
		k.Payload = k.Token + "|payload\x00of it"
	}
	return all
}

// submit submits the job, or joins it if it is there already.
func (k *keepsake) submit(t *testing.T, c *judge.Client) string {
	t.Helper()
	c.Submit(k.Job)
	handle, err := c.Answer()
	if err != nil {
		t.Fatal(err)
	}
	return handle
}

// try has a worker take the job and vanish with it. When try returns, the store
// has the attempt.
func (k *keepsake) try(t *testing.T, b *judge.Book, addr string) {
	t.Helper()
	w, err := b.Worker(addr, k.Function)
	if err != nil {
		t.Fatal(err)
	}
	a, err := w.Grab()
	if err != nil || k.later != (a == nil) {
		t.Errorf("%s: the worker got %v, %v", k.Function, a, err)
	}
	w.Close()
	if k.later {
		return
	}
	k.attempts++
	c := client(t, b, addr)
	defer c.Close()
	awaitQueued(t, c, k.handle)
	// What is stored behind the attempt is acknowledged behind it.
	token := fmt.Sprintf("confirm-%d", c.Number)
	c.Submit(&judge.Job{Token: token, Type: protocol.SubmitJobBG, Function: "confirm", Payload: token + "|"})
	if _, err := c.Answer(); err != nil {
		t.Fatal(err)
	}
}

// awaitQueued asks until a job runs no longer.
func awaitQueued(t *testing.T, c *judge.Client, handle string) {
	t.Helper()
	for deadline := time.Now().Add(judge.Patience); ; {
		s, err := c.States(handle)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("%s still runs, %v", handle, err)
		}
		if s[0].Known && !s[0].Running {
			return
		}
	}
}

// checkKeepsakes compares what the server shows of the keepsakes with what they
// are, and joins each by its unique id: the book sees whether that has the old
// handle.
func checkKeepsakes(t *testing.T, c *judge.Client, all []*keepsake) {
	t.Helper()
	jobs, err := c.List("show jobs")
	if err != nil {
		t.Fatal(err)
	}
	queues, err := c.List("prioritystatus")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range all {
		if want := fmt.Sprintf("%s\t%d\t0\t1", k.handle, k.attempts); !slices.Contains(jobs, want) {
			t.Errorf("%s: show jobs has no line %q", k.Function, want)
		}
		if want := k.Function + "\t" + k.shown + "\t0"; !slices.Contains(queues, want) {
			t.Errorf("%s: prioritystatus has no line %q", k.Function, want)
		}
		k.submit(t, c)
	}
}

// setLimit sets a limit, and checkLimit looks whether it is still there.
func setLimit(t *testing.T, c *judge.Client, n int) {
	t.Helper()
	if a, err := c.Admin(fmt.Sprintf("maxqueue limited %d", n)); err != nil || a != "OK" {
		t.Fatalf("maxqueue: %q, %v", a, err)
	}
}

func checkLimit(t *testing.T, c *judge.Client, n int) {
	t.Helper()
	a, err := c.List("show maxqueue")
	if want := fmt.Sprintf("limited\t%d\t%[1]d\t%[1]d", n); err != nil || len(a) != 1 || !strings.HasPrefix(a[0], want) {
		t.Errorf("show maxqueue: %q, %v; want %q", a, err, want)
	}
}
