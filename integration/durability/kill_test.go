package durability

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"gearbolt/integration/harness"
	"gearbolt/persist"
	"gearbolt/protocol"
)

var (
	rounds = flag.Int("rounds", 100, "how often the server is killed")
	seed   = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the moments of death and of the load")
)

// longestLife is how long the server lives under load, at most.
const longestLife = 200 * time.Millisecond

func TestKilledAgainAndAgain(t *testing.T) {
	chance := rand.New(rand.NewPCG(*seed, 0))
	addr, dir, b, keepsakes := harness.FreeAddr(t), t.TempDir(), newBooks(), newKeepsakes()
	began := time.Now()
	for round := range *rounds {
		s := harness.GearboltAt(t, addr, dir)
		b.restarted()
		l := mustDial(t, addr)
		if round == 0 {
			for _, k := range keepsakes {
				k.handle = k.submit(t, l)
			}
		} else {
			audit(t, b, l)
			checkLimit(t, l, round)
			checkKeepsakes(t, l, keepsakes)
			checkOrder(t, b, addr)
		}
		setLimit(t, l, round+1)
		keepsakes[round%len(keepsakes)].try(t, addr, l)
		l.close()
		peers := begin(addr, b, chance)
		time.Sleep(time.Duration(chance.Int64N(int64(longestLife)))) // the moment of death
		s.Kill()
		peers.peers.Wait()
		if report(t, b); t.Failed() {
			t.Fatalf("round %d of %d, -seed %d", round+1, *rounds, *seed)
		}
	}
	finish(t, b, addr, dir)
	acked := b.count(func(j *job) bool { return j.acked })
	ended := b.count(func(j *job) bool { return j.ended > 0 })
	t.Logf("%d rounds in %.0f s: %d background jobs acknowledged, 0 lost; %d ended by a worker; %d ran again because their end was not confirmed, as they may; -seed %d",
		*rounds, time.Since(began).Seconds(), acked, ended, b.again, *seed)
}

func mustDial(t *testing.T, addr string) *line {
	t.Helper()
	l, err := dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l
}

func audit(t *testing.T, b *books, l *line) {
	t.Helper()
	if err := b.audit(l); err != nil {
		t.Fatal(err)
	}
}

// report fails the test with the first faults of the books.
func report(t *testing.T, b *books) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.faults[:min(len(b.faults), 10)] {
		t.Error(f)
	}
	if n := len(b.faults) - 10; n > 0 {
		t.Errorf("and %d more faults", n)
	}
}

// checkOrder has a worker take some jobs of a server on which nothing else
// happens: they come by priority, and within one as they were submitted.
func checkOrder(t *testing.T, b *books, addr string) {
	t.Helper()
	w := mustDial(t, addr)
	defer w.close()
	waiting, _ := b.open(0)
	w.send(protocol.CanDo, function)
	var last place
	for range 10 {
		r, err := w.ask(protocol.JobAssignUniq, protocol.GrabJobUniq)
		if err != nil {
			break // no job is left
		}
		j := b.assigned(withReducer(b, r))
		if j == nil {
			return
		}
		// One whose time came after the start stands behind those that waited.
		if at := placeOf(t, j); j.due.IsZero() {
			if at.before(last) {
				t.Errorf("%s came behind one of priority %d with the number %v", j.handle, last.priority, last.number)
			}
			last = at
		}
		b.ending(j)
		w.send(protocol.WorkComplete, j.handle, "")
		waiting = slices.DeleteFunc(waiting, func(x *job) bool { return x == j })
	}
	if _, err := w.ask(protocol.EchoRes, protocol.EchoReq, "all said"); err != nil {
		t.Fatal(err)
	}
	for _, j := range waiting {
		if known := !j.done && j.due.IsZero(); known && placeOf(t, j).before(last) {
			t.Errorf("%s still waits, and one of priority %d with the number %v was taken", j.handle, last.priority, last.number)
		}
	}
}

// withReducer makes of the arguments of JOB_ASSIGN_UNIQ what GRAB_JOB_ALL would
// have brought.
func withReducer(b *books, args []string) reply {
	token, _, _ := strings.Cut(args[3], "|")
	b.mu.Lock()
	defer b.mu.Unlock()
	if j := b.jobs[token]; j != nil && j.reducer != "" {
		args = slices.Insert(args, 3, j.reducer)
	}
	return reply{args: args}
}

// A place is where a job stands in its function's queues after a restart.
type place struct {
	priority persist.Priority
	number   persist.JobID
}

func (p place) before(q place) bool {
	return p.priority < q.priority || p.priority == q.priority && p.number.Compare(q.number) < 0
}

func placeOf(t *testing.T, j *job) place {
	t.Helper()
	p := place{priority: j.priority}
	number := j.handle[strings.LastIndexByte(j.handle, ':')+1:]
	if _, err := fmt.Sscanf(number, "%d-%d", &p.number.Epoch, &p.number.Seq); err != nil {
		t.Fatalf("%s: %v", j.handle, err)
	}
	return p
}

// finish has workers do all that is left. Then every job that was acknowledged
// has been ended by a worker, and is gone.
func finish(t *testing.T, b *books, addr, dir string) {
	t.Helper()
	s := harness.GearboltAt(t, addr, dir)
	b.restarted()
	l := mustDial(t, addr)
	audit(t, b, l)
	peers := &load{addr: addr, books: b, calm: true}
	for range workers {
		peers.start(rand.New(rand.NewPCG(*seed, 1)), func(r *rand.Rand, line *line) { peers.work(r, line, "last") })
	}
	for deadline := time.Now().Add(patience); ; {
		status, err := l.admin("status", true)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("jobs are left: %q, %v", status, err)
		}
		if contains(status, fmt.Sprintf("%s\t0\t0\t%d", function, workers)) {
			break
		}
		time.Sleep(10 * time.Millisecond) // asks again
	}
	s.Kill()
	peers.peers.Wait()
	open, _ := b.open(0)
	for _, j := range open {
		if j.acked && j.ended == 0 {
			t.Errorf("no job is left, and nobody has ended %s (%s)", j.token, j.handle)
		}
	}
	report(t, b)
}

// The same check sees that a server without a store loses everything.
func TestCheckSeesLosses(t *testing.T) {
	chance := rand.New(rand.NewPCG(*seed, 2))
	addr, dir, b := harness.FreeAddr(t), t.TempDir(), newBooks()
	for range 2 {
		s := harness.GearboltAt(t, addr, dir, "--store", "memory")
		b.restarted()
		audit(t, b, mustDial(t, addr))
		peers := begin(addr, b, chance)
		awaitAcknowledged(t, b)
		s.Kill()
		peers.peers.Wait()
	}
	lost := 0
	for _, f := range b.faults {
		if strings.Contains(f, "lost: ") {
			lost++
		}
	}
	if lost == 0 {
		t.Errorf("nothing was seen to be lost; the faults are %q", b.faults)
	}
	t.Logf("%d losses seen", lost)
}

// awaitAcknowledged waits until some jobs are acknowledged whose time is yet to
// come.
func awaitAcknowledged(t *testing.T, b *books) {
	t.Helper()
	later := time.Now().Add(time.Second)
	unended := func(j *job) bool { return j.acked && j.ended == 0 && j.due.After(later) }
	for deadline := time.Now().Add(patience); b.count(unended) < 10; {
		if time.Now().After(deadline) {
			t.Fatal("no jobs are acknowledged")
		}
		time.Sleep(time.Millisecond) // asks again
	}
}
