package durability

import (
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

var (
	throughput = flag.Duration("throughput", 0, "compare durable submission with gearmand's, for so long in each round; 0: do not")
	contests   = flag.Int("contests", 5, "rounds of the comparison")
)

const (
	contestants = 16 // connections
	inFlight    = 64 // submissions of each that wait for their answer
	payloadSize = 100
)

// A contestant is a server as it is started for one round, with a store of its
// own.
type contestant struct {
	name  string
	start func(t *testing.T) *harness.Server
	rates []float64 // acknowledged jobs per second, by round
}

// How fast background jobs are taken is compared and not judged: it depends on
// the disk. The servers take turns, since machines have moods.
func TestThroughput(t *testing.T) {
	if *throughput == 0 {
		t.Skip("a comparison that takes minutes: -throughput 3s")
	}
	all := []*contestant{
		{name: "gearbolt, durable", start: func(t *testing.T) *harness.Server { return harness.Gearbolt(t) }},
		{name: "gearmand, in memory", start: func(t *testing.T) *harness.Server { return harness.Gearmand(t) }},
		{name: "gearmand -q libsqlite3", start: func(t *testing.T) *harness.Server {
			return harness.Gearmand(t, "-q", "libsqlite3", "--libsqlite3-db="+filepath.Join(t.TempDir(), "queue.db"))
		}},
	}
	for round := range *contests {
		for i := range all {
			c := all[(i+round)%len(all)]
			t.Run(fmt.Sprintf("%d %s", round+1, c.name), func(t *testing.T) {
				c.rates = append(c.rates, submissionRate(t, c.start(t).Addr))
			})
		}
	}
	for _, c := range all {
		t.Logf("%-22s %9.0f jobs/s (%s)", c.name, median(c.rates), each(c.rates))
	}
	for _, c := range all[1:] {
		var ratios []float64
		for i, r := range all[0].rates {
			ratios = append(ratios, r/c.rates[i])
		}
		t.Logf("%s : %s = %.2f (by round %.2f)", all[0].name, c.name, median(ratios), ratios)
	}
}

func median(all []float64) float64 {
	s := slices.Sorted(slices.Values(all))
	return s[len(s)/2]
}

func each(rates []float64) string {
	var s []string
	for _, r := range rates {
		s = append(s, fmt.Sprintf("%.0f", r))
	}
	return strings.Join(s, " ")
}

// submissionRate returns how many submissions the server acknowledges in a
// second.
func submissionRate(t *testing.T, addr string) float64 {
	t.Helper()
	var acknowledged atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	end := began.Add(*throughput)
	for i := range contestants {
		l, err := judge.Dial(addr)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			defer l.Close()
			if err := submitUntil(l, end, i, &acknowledged); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	return float64(acknowledged.Load()) / time.Since(began).Seconds()
}

// submitUntil keeps submissions in flight until end, and then waits for the
// answers. Every job has a unique id: gearmand's table has one row for all that
// have none.
func submitUntil(l *judge.Line, end time.Time, number int, acknowledged *atomic.Int64) error {
	payload, waiting, sent := strings.Repeat("x", payloadSize), 0, 0
	for {
		for time.Now().Before(end) && waiting < inFlight {
			l.Send(protocol.SubmitJobBG, "throughput", fmt.Sprint(number, "-", sent), payload)
			waiting, sent = waiting+1, sent+1
		}
		if waiting == 0 {
			return nil
		}
		r, err := l.Receive()
		if err != nil {
			return err
		}
		if r.Type != protocol.JobCreated {
			return fmt.Errorf("%s", r)
		}
		waiting--
		acknowledged.Add(1)
	}
}
