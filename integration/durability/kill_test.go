package durability

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
	"gearbolt/integration/judge/linear"
)

var (
	rounds = flag.Int("rounds", 100, "how often the server is killed")
	seed   = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the moments of death and of the load")
)

// The server lives under load for lifetime, at most, and once in a while
// for longer than a lease.
const (
	lifetime = 200 * time.Millisecond
	longLife = lease + lease/2
)

func TestKilledAgainAndAgain(t *testing.T) {
	chance := rand.New(rand.NewPCG(*seed, 0))
	addr, dir, b, keepsakes := harness.FreeAddr(t), t.TempDir(), judge.New(), newKeepsakes()
	began := time.Now()
	for round := range *rounds {
		s := harness.GearboltAt(t, addr, dir)
		b.Started()
		c := client(t, b, addr)
		if round == 0 {
			for _, k := range keepsakes {
				k.handle = k.submit(t, c)
			}
		} else {
			look(t, b, addr)
			checkLimit(t, c, round)
			checkKeepsakes(t, c, keepsakes)
			checkOrder(t, b, addr)
		}
		setLimit(t, c, round+1)
		keepsakes[round%len(keepsakes)].try(t, b, addr)
		c.Close()
		peers := begin(addr, b, chance)
		time.Sleep(moment(chance)) // the moment of death
		kill(b, s)
		peers.peers.Wait()
		if t.Failed() {
			t.Fatalf("round %d of %d, -seed %d", round+1, *rounds, *seed)
		}
	}
	finish(t, b, addr, dir)
	checkHistories(t, b)
	n := b.Totals()
	t.Logf("%d rounds in %.0f s: %d background jobs acknowledged, 0 lost; %d ended by a worker; %d ran again because their end was not confirmed, as they may; %d events; -seed %d",
		*rounds, time.Since(began).Seconds(), n.Acknowledged, n.Ended, n.Again, n.Events, *seed)
}

// moment draws how long the server lives under load.
func moment(chance *rand.Rand) time.Duration {
	if chance.IntN(25) == 0 {
		return longLife
	}
	return time.Duration(chance.Int64N(int64(lifetime)))
}

func kill(b *judge.Book, s *harness.Server) {
	b.Fault("kill -9")
	s.Kill()
	b.Died()
}

func client(t *testing.T, b *judge.Book, addr string) *judge.Client {
	t.Helper()
	c, err := b.Client(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// look holds the book against the server, to which nobody talks.
func look(t *testing.T, b *judge.Book, addr string) {
	t.Helper()
	s, err := b.Look(addr)
	if err != nil {
		t.Fatal(err)
	}
	judge.Report(t, b.Judge(&judge.After{Server: s}))
}

// finish has workers do all that is left. Then every job that was acknowledged
// has been ended, and none is in the store.
func finish(t *testing.T, b *judge.Book, addr, dir string) {
	t.Helper()
	s := harness.GearboltAt(t, addr, dir)
	b.Started()
	look(t, b, addr)
	peers := &load{addr: addr, book: b, calm: true}
	for range workers {
		peers.start(rand.New(rand.NewPCG(*seed, 1)), func(r *rand.Rand) { peers.work(r, "last", false) })
	}
	c := client(t, b, addr)
	for deadline := time.Now().Add(judge.Patience); ; {
		status, err := c.List("status")
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("jobs are left: %q, %v", status, err)
		}
		if slices.Contains(status, fmt.Sprintf("%s\t0\t0\t%d", function, workers)) {
			break
		}
		time.Sleep(10 * time.Millisecond) // asks again
	}
	look(t, b, addr)
	kill(b, s)
	peers.peers.Wait()
	judge.Report(t, b.Judge(&judge.After{Store: judge.ReadStore(dir)}))
}

// checkHistories looks whether each job can have lived as its peers have seen.
func checkHistories(t *testing.T, b *judge.Book) {
	t.Helper()
	got := linear.Check(b.Events())
	for _, what := range got.Impossible[:min(len(got.Impossible), 5)] {
		t.Error(what)
	}
	t.Logf("%d operations on %d jobs, of which %d have an impossible history", got.Operations, got.Jobs, len(got.Impossible))
}
