package durability

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gearbolt/protocol"
)

// Keepsakes are jobs that stay for all rounds, one of each kind. In every life
// of the server one of them is tried once more and not finished.
type keepsake struct {
	kind     protocol.Type
	function string
	before   []string // arguments between the unique id and the data
	shown    string   // what prioritystatus says of its function
	later    bool     // its time is far away
	handle   string
	attempts int
}

func newKeepsakes() []*keepsake {
	year2100 := fmt.Sprint(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).Unix())
	return []*keepsake{
		{kind: protocol.SubmitJobHighBG, function: "keep-high", shown: "1\t0\t0"},
		{kind: protocol.SubmitJobBG, function: "keep-normal", shown: "0\t1\t0"},
		{kind: protocol.SubmitJobLowBG, function: "keep-low", shown: "0\t0\t1"},
		{kind: protocol.SubmitReduceJobBG, function: "keep-reduce", before: []string{"reducer", ""}, shown: "0\t1\t0"},
		{kind: protocol.SubmitJobEpoch, function: "keep-epoch", before: []string{year2100}, shown: "0\t1\t0", later: true},
		{kind: protocol.SubmitJobSched, function: "keep-sched", before: []string{"0", "0", "29", "2", "*"}, shown: "0\t1\t0", later: true},
	}
}

func (k *keepsake) unique() string  { return "unique of " + k.function }
func (k *keepsake) payload() string { return "payload of\x00" + k.function }

// submit submits the job, or joins it if it is there already.
func (k *keepsake) submit(t *testing.T, l *line) string {
	t.Helper()
	args := append(append([]string{k.function, k.unique()}, k.before...), k.payload())
	handle, err := l.submit(k.kind, args...)
	if err != nil {
		t.Fatal(err)
	}
	return handle
}

// try has a worker take the job and vanish with it. When try returns, the store
// has the attempt.
func (k *keepsake) try(t *testing.T, addr string, l *line) {
	t.Helper()
	worker, err := dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	worker.send(protocol.CanDo, k.function)
	answer, want := protocol.JobAssignUniq, []string{k.handle, k.function, k.unique(), k.payload()}
	if k.kind == protocol.SubmitReduceJobBG {
		answer, want = protocol.JobAssignAll, []string{k.handle, k.function, k.unique(), "reducer", k.payload()}
	}
	if k.later {
		answer, want = protocol.NoJob, nil
	}
	got, err := worker.ask(answer, protocol.GrabJobAll)
	if err != nil || strings.Join(got, "\x00") != strings.Join(want, "\x00") {
		t.Errorf("%s: the worker got %q, %v; want %q", k.function, got, err, want)
	}
	worker.close()
	if k.later {
		return
	}
	k.attempts++
	awaitQueued(t, l, k.handle)
	confirm(t, l)
}

// awaitQueued asks until a job runs no longer.
func awaitQueued(t *testing.T, l *line, handle string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		s, err := l.states([]string{handle})
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("%s still runs, %v", handle, err)
		}
		if s[0].known && !s[0].running {
			return
		}
	}
}

// confirm returns when all that the server has been told is stored.
func confirm(t *testing.T, l *line) {
	t.Helper()
	if _, err := l.submit(protocol.SubmitJobBG, "confirm", "confirm", ""); err != nil {
		t.Fatal(err)
	}
	worker := l // the same connection takes it again, so that the next one is stored anew
	worker.send(protocol.CanDo, "confirm")
	a, err := worker.ask(protocol.JobAssign, protocol.GrabJob)
	if err != nil {
		t.Fatal(err)
	}
	worker.send(protocol.WorkComplete, a[0], "")
	worker.send(protocol.CantDo, "confirm")
}

// check compares what the server shows of the keepsakes with what they are, and
// joins each by its unique id.
func checkKeepsakes(t *testing.T, l *line, all []*keepsake) {
	t.Helper()
	jobs, err := l.admin("show jobs", true)
	if err != nil {
		t.Fatal(err)
	}
	queues, err := l.admin("prioritystatus", true)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range all {
		if want := fmt.Sprintf("%s\t%d\t0\t1", k.handle, k.attempts); !contains(jobs, want) {
			t.Errorf("%s: show jobs has no line %q", k.function, want)
		}
		if want := k.function + "\t" + k.shown + "\t0"; !contains(queues, want) {
			t.Errorf("%s: prioritystatus has no line %q", k.function, want)
		}
		if handle := k.submit(t, l); handle != k.handle {
			t.Errorf("%s: the unique id stands for %s, and stood for %s", k.function, handle, k.handle)
		}
	}
}

func contains(lines []string, want string) bool {
	for _, l := range lines {
		if l == want {
			return true
		}
	}
	return false
}

// setLimit sets a limit, and checkLimit looks whether it is still there.
func setLimit(t *testing.T, l *line, n int) {
	t.Helper()
	if a, err := l.admin(fmt.Sprintf("maxqueue limited %d", n), false); err != nil || a[0] != "OK" {
		t.Fatalf("maxqueue: %q, %v", a, err)
	}
}

func checkLimit(t *testing.T, l *line, n int) {
	t.Helper()
	a, err := l.admin("show maxqueue", true)
	if want := fmt.Sprintf("limited\t%d\t%[1]d\t%[1]d", n); err != nil || len(a) != 1 || a[0] != want {
		t.Errorf("show maxqueue: %q, %v; want %q", a, err, want)
	}
}
