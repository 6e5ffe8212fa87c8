package server

import (
	"math/rand/v2"
	"net"
	"testing"

	"go.uber.org/zap"

	"gearbolt/persist/memory"
	"gearbolt/router"
)

// The backlog knows who lets most wait, and how much all do.
func TestBacklogKnowsTheWorst(t *testing.T) {
	for seed := range uint64(50) {
		chance := rand.New(rand.NewPCG(seed, 0))
		var b backlog
		all := make([]*load, 20)
		for i := range all {
			all[i] = &load{c: new(conn)}
		}
		for range 1000 {
			l, bytes := all[chance.IntN(len(all))], chance.IntN(20)
			if bytes == l.bytes {
				continue // is not said
			}
			b.set(l, bytes)
			sum, most := 0, 0
			for _, l := range all {
				sum, most = sum+l.bytes, max(most, l.bytes)
			}
			worst := 0
			for _, l := range all {
				if l.c == b.worst() {
					worst = l.bytes
				}
			}
			if b.bytes.Load() != int64(sum) || worst != most || (b.worst() == nil) != (sum == 0) {
				t.Fatalf("seed %d: of %d the worst has %d; the backlog says %d, and %d", seed, sum, most, b.bytes.Load(), worst)
			}
		}
	}
}

// An outbox that has been given up for another reason, and is not closed yet,
// gives its memory back with the others, and is counted once.
func TestOutboxThatIsGivenUpTwice(t *testing.T) {
	s := quietServer(t, Options{OutboxMemory: mib, OutboxLimit: 1})
	c := s.quietConn()
	c.out.add(router.Send{Body: make([]byte, 2*mib)}, 1)
	c.out.add(router.Send{Body: make([]byte, 1)}, 1) // too much for one
	var touched turn
	s.relieve(&touched)
	if s.backlog.bytes.Load() != 0 || len(touched.touched) != 0 {
		t.Errorf("%d bytes wait, %d are to be flushed again", s.backlog.bytes.Load(), len(touched.touched))
	}
	c.out.flush(c)
	n := s.Counters()
	if n[router.OutboxesOverOutboxMemory] != 0 || n[router.OutboxesOverOutboxLimit] != 1 {
		t.Errorf("counted %d and %d times", n[router.OutboxesOverOutboxMemory], n[router.OutboxesOverOutboxLimit])
	}
}

// quietServer has no listener, and quietConn nobody who reads.
func quietServer(t testing.TB, o Options) *Server {
	s, err := New(o, memory.New(), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func (s *Server) quietConn() *conn {
	end, _ := net.Pipe()
	c := newConn(s, end, nil)
	s.conns[c] = struct{}{}
	return c
}

// BenchmarkRelieve has one of 20,000 connections let too much wait, every
// hundredth of the others a little, and measures how long the machine's lock is held to
// find out whose fault it is.
func BenchmarkRelieve(b *testing.B) {
	const conns, little, much = 20_000, 2 * bufferKeep, 32 * mib
	s := quietServer(b, Options{OutboxMemory: 40 * mib})
	for i := range conns {
		c := s.quietConn()
		if i%100 == 0 {
			c.out.add(router.Send{Body: make([]byte, little)}, much)
		}
	}
	body := make([]byte, much)
	for b.Loop() {
		b.StopTimer()
		c := s.quietConn()
		c.out.add(router.Send{Body: body}, much)
		c.out.listed = false // as if it had been flushed, and nobody read
		if !s.overloaded() {
			b.Fatalf("%d bytes are not too many", s.backlog.bytes.Load())
		}
		var touched turn
		b.StartTimer()
		s.relieve(&touched)
		b.StopTimer()
		if len(touched.touched) != 1 || touched.touched[0] != c {
			b.Fatal("it was another's fault")
		}
		delete(s.conns, c)
		b.StartTimer()
	}
}
