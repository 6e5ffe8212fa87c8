package network

import (
	"testing"
	"time"

	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
)

// A network that loses one packet in a hundred, in twenty, in five, and one that
// is slow.
func TestLoss(t *testing.T) {
	s := newStage(t, layWire(t), asking...)
	l := s.load()
	for _, percent := range []int{1, 5, 20} {
		before := s.book.Totals()
		s.lose(percent)
		time.Sleep(*span) // is how long it lasts
		dropped := s.heal()
		after := s.book.Totals()
		t.Logf("%2d %%: %6d packets lost, %6d jobs acknowledged, %6d done", percent, dropped, after.Acknowledged-before.Acknowledged, after.Ended-before.Ended)
		if dropped == 0 {
			t.Errorf("%d %%, and nothing was lost", percent)
		}
	}
	s.here("tc qdisc add dev near root tbf rate 1mbit burst 32kbit latency 400ms")
	s.there("tc qdisc add dev far root tbf rate 1mbit burst 32kbit latency 400ms")
	s.lose(1)
	time.Sleep(*span)
	s.here("tc qdisc del dev near root")
	s.there("tc qdisc del dev far root")
	s.heal()
	l.finish()
}

// A network through which nothing gets, for a moment and for longer than anybody
// waits, again and again. Connections outlive the moment; the server gives all of
// them up when it is longer, and peers come back.
func TestPartition(t *testing.T) {
	s := newStage(t, layWire(t), asking...)
	l := s.load()
	for began := time.Now(); time.Since(began) < *span+*hole; {
		for _, length := range []time.Duration{atLeast / 2, *hole} {
			time.Sleep(*span)
			before := s.book.Totals()
			s.drop("meta l4proto tcp")
			time.Sleep(length)
			if length > patience {
				harness.Await(t, "all connections are given up", func() bool { return len(s.list("workers")) == 1 })
			}
			t.Logf("after %v without a network the server has %d connections of %d; %d jobs were done before",
				length, len(s.list("workers"))-1, 2*peers, before.Ended)
			if dropped := s.heal(); dropped == 0 {
				t.Error("nothing was lost")
			}
		}
	}
	l.finish()
}

// A server without a store, killed while nothing gets through, has forgotten
// what it acknowledged, and the judge sees it.
func TestJudgeSeesLossThroughABadNetwork(t *testing.T) {
	s := newStage(t, layWire(t), "--store", "memory")
	l := s.load()
	close(l.working) // so that jobs stay
	l.workers.Wait()
	s.lose(20)
	time.Sleep(time.Second)
	s.server.Kill()
	s.book.Died()
	s.start()
	close(l.submitting)
	l.clients.Wait()
	s.heal()
	server, err := s.book.Look(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	lost := 0
	for _, v := range s.book.Judge(&judge.After{Server: server}) {
		if v.Invariant == judge.I1NoLoss {
			lost++
		}
	}
	if t.Logf("%+v, %d of them are missed", s.book.Totals(), lost); lost == 0 {
		t.Error("nobody misses what a server without a store forgets")
	}
}
