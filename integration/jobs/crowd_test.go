package jobs

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

var (
	kills = flag.Int("kills", 3, "how often the server is killed under a thousand clients that want one job")
	seed  = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the moments at which it is")
)

const crowd = 1000

// A thousand clients, every other one in the foreground, submit one unique id
// while the server is killed. What any background client was told holds: there
// is one job, under that handle. Those who ask again join it, it runs once, and
// all who wait are told the result.
func TestCrowdAcrossACrash(t *testing.T) {
	chance := rand.New(rand.NewPCG(*seed, 0))
	for round := range *kills {
		s := newStage(t)
		moment := chance.Int64N(crowd) // of death: so many are told
		told := s.crowd(fmt.Sprint("first ", round), func(answered *atomic.Int64) {
			for late := time.Now().Add(judge.Patience); answered.Load() < moment && time.Now().Before(late); {
				runtime.Gosched()
			}
			s.kill()
		}, nil)
		s.start()
		jobs := s.balance()
		t.Logf("killed when %d of %d were told; there are %d jobs", told, crowd, len(jobs))
		if len(jobs) > 1 {
			t.Errorf("one unique id stands for %q", jobs)
		}
		w := s.worker()
		told = s.crowd(fmt.Sprint("again ", round), func(answered *atomic.Int64) {
			harness.Await(s, "all are told", func() bool { return answered.Load() == crowd })
			a, err := w.Next()
			if err != nil {
				t.Error(err)
				return
			}
			w.End(a.Handle, protocol.WorkComplete, "for all")
			s.settled(w.Line)
		}, wantResult)
		if told != crowd {
			t.Errorf("%d of %d were told", told, crowd)
		}
		if jobs := s.balance(); len(jobs) > 0 {
			t.Errorf("there are still %q", jobs)
		}
		if t.Failed() {
			t.Fatalf("-seed %d", *seed)
		}
		s.kill()
	}
}

// crowd has all clients submit at once, and returns how many were told that
// there is a job, after what is to happen meanwhile has. Those in the
// foreground then go on by waits.
func (s *stage) crowd(name string, meanwhile func(answered *atomic.Int64), waits func(*judge.Client, string) error) int64 {
	s.Helper()
	var answered atomic.Int64
	var all sync.WaitGroup
	here := make(chan struct{}) // closed when all clients are
	for n := range crowd {
		c := s.client()
		token := fmt.Sprintf("%s, %d", name, n)
		j := &judge.Job{Token: token, Type: protocol.SubmitJobBG, Function: function, Unique: "the one", Payload: token + "|"}
		if n%2 == 1 {
			j.Type = protocol.SubmitJob
		}
		all.Go(func() {
			defer c.Close()
			<-here
			c.Submit(j)
			handle, err := c.Answer()
			if err != nil {
				return // the server is dead
			}
			answered.Add(1)
			if waits != nil && !j.Background() {
				if err := waits(c, handle); err != nil {
					s.Error(err)
				}
			}
		})
	}
	close(here)
	meanwhile(&answered)
	all.Wait()
	return answered.Load()
}

func wantResult(c *judge.Client, handle string) error {
	p, err := c.Receive()
	if err == nil && (p.Type != protocol.WorkComplete || p.Args[0] != handle || p.Args[1] != "for all") {
		err = errors.New(p.String())
	}
	return err
}
