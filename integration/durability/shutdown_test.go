package durability

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

var stops = flag.Int("stops", 20, "how often the server is told to end under load")

// A server that is told to end under load, in the middle of its commits, does
// so with exit code 0, and whatever it has answered to is on stable storage,
// ends of jobs included. Every other time it is told twice, and does not wait
// for the jobs that run.
func TestToldToEndAgainAndAgain(t *testing.T) {
	chance := rand.New(rand.NewPCG(*seed, 3))
	addr, dir, b := harness.FreeAddr(t), t.TempDir(), judge.New()
	for n := range *stops {
		s := harness.GearboltAt(t, addr, dir, "--shutdown-timeout", "500ms")
		b.Started()
		look(t, b, addr)
		peers := begin(addr, b, chance)
		time.Sleep(time.Duration(chance.Int64N(int64(lifetime / 2)))) // the moment of the signal
		b.Fault("SIGTERM")
		for range 1 + n%2 {
			if err := s.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Wait(judge.Patience); err != nil {
			t.Fatalf("the server ended with %v\n%s", err, s.Output())
		}
		b.Ended()
		peers.peers.Wait()
		if t.Failed() {
			t.Fatalf("stop %d of %d, -seed %d", n+1, *stops, *seed)
		}
	}
	finish(t, b, addr, dir)
	checkHistories(t, b)
	totals := b.Totals()
	t.Logf("%d stops: %d background jobs acknowledged, %d ended by a worker, %d of them ran again", *stops, totals.Acknowledged, totals.Ended, totals.Again)
}

// A server that is drained has its workers do all
// that is there, ends with exit code 0, and leaves an empty store.
func TestDrainUnderLoad(t *testing.T) {
	addr, dir, b := harness.FreeAddr(t), t.TempDir(), judge.New()
	s := harness.GearboltAt(t, addr, dir)
	b.Started()
	c := client(t, b, addr)
	const jobs = 500
	for n := range jobs {
		token := fmt.Sprint("drained-", n)
		c.Submit(&judge.Job{Token: token, Type: protocol.SubmitJobBG, Function: function, Payload: token + "|"})
	}
	for c.Waiting() > 0 {
		if _, err := c.Answer(); err != nil {
			t.Fatal(err)
		}
	}
	peers := &load{addr: addr, book: b, calm: true}
	for range workers {
		w, err := b.Worker(addr, function)
		if err != nil {
			t.Fatal(err)
		}
		peers.peers.Go(func() { (&hand{load: peers, Worker: w, chance: rand.New(rand.NewPCG(*seed, 4))}).run() })
	}
	b.Fault("SIGUSR1")
	if err := s.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(judge.Patience); err != nil {
		t.Fatalf("the server ended with %v\n%s", err, s.Output())
	}
	b.Ended()
	peers.peers.Wait()
	store := judge.ReadStore(dir)
	judge.Report(t, b.Judge(&judge.After{Store: store}))
	if ended := b.Totals().Ended; len(store.Jobs) > 0 || ended != jobs {
		t.Errorf("%d of %d jobs were ended, and %d are left", ended, jobs, len(store.Jobs))
	}
}
