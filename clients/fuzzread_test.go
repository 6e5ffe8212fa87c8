package clients

import (
	"bytes"
	"math/rand/v2"
	"net"
	"testing"

	"gearbolt/protocol"
)

// FuzzReader reads what a server says, which comes in any pieces: they are the
// packets that it is made of, and what was kept of them stays.
func FuzzReader(f *testing.F) {
	f.Add(talk(res(protocol.JobCreated, "H:1"), res(protocol.WorkComplete, "H:1", "x"), res(protocol.Noop)), uint64(1))
	f.Add(talk(res(protocol.EchoRes, string(make([]byte, 3*readBuffer))), res(protocol.NoJob)), uint64(2))
	f.Add(talk(res(protocol.Noop), []byte("OK\n")), uint64(3))
	f.Add(res(protocol.JobAssign, "H:1", "f", "x")[:15], uint64(4))
	f.Fuzz(func(t *testing.T, says []byte, seed uint64) {
		limits := protocol.Limits{Packet: 1 << 20}
		ours, theirs := net.Pipe()
		defer ours.Close()
		go func() {
			defer theirs.Close()
			rng := rand.New(rand.NewPCG(seed, 0))
			for rest := says; len(rest) > 0; {
				n := 1 + rng.IntN(len(rest))
				if _, err := theirs.Write(rest[:n]); err != nil {
					return
				}
				rest = rest[n:]
			}
		}()
		r := reader{nc: ours, limits: limits, heard: func() {}}
		var kept, want [][]byte
		for rest := says; ; {
			m, err := r.next()
			if err != nil {
				break
			}
			whole, n, err := limits.Next(rest)
			if err != nil || m.Type != whole.Type || !bytes.Equal(m.Body, whole.Body) {
				t.Fatalf("read %s %q, which is %s %q, %v", m.Type, m.Body, whole.Type, whole.Body, err)
			}
			kept, want, rest = append(kept, r.keep(m.Body)), append(want, whole.Body), rest[n:]
		}
		for i := range kept {
			if !bytes.Equal(kept[i], want[i]) {
				t.Fatalf("packet %d was %q and is %q", i, want[i], kept[i])
			}
		}
	})
}
