package server

import (
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"

	"go.uber.org/zap"

	"gearbolt/persist/memory"
	"gearbolt/protocol"
	"gearbolt/router"
)

// Benchmarks of the shell over loopback sockets. Both ends are in the process,
// but the peers allocate nothing, so that what is allocated is the server's.

// startBench returns how to connect to a server that listens.
func startBench(b *testing.B) (dial func() *benchPeer) {
	s, err := New(Options{Router: router.Config{HandlePrefix: "H", PayloadMemory: 1 << 30}}, memory.New(), zap.NewNop())
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go s.Serve(l, nil)
	b.Cleanup(s.Close)
	return func() *benchPeer {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { nc.Close() })
		return &benchPeer{b: b, nc: nc, in: make([]byte, 1024), out: make([]byte, 0, 64<<10)}
	}
}

type benchPeer struct {
	b       *testing.B
	nc      net.Conn
	in, out []byte
}

// say adds a request to what is written next.
func (p *benchPeer) say(kind protocol.Type, body string) *benchPeer {
	p.out = append(protocol.AppendHeader(p.out, protocol.Req, kind, len(body)), body...)
	return p
}

// write writes what was said.
func (p *benchPeer) write() {
	if _, err := p.nc.Write(p.out); err != nil {
		p.b.Error(err)
	}
	p.out = p.out[:0]
}

// hear reads one packet. At the connection's end its type is 0.
func (p *benchPeer) hear() (protocol.Type, []byte) {
	if _, err := io.ReadFull(p.nc, p.in[:protocol.HeaderSize]); err != nil {
		return 0, nil
	}
	kind, size := binary.BigEndian.Uint32(p.in[4:]), binary.BigEndian.Uint32(p.in[8:])
	body := p.in[protocol.HeaderSize : protocol.HeaderSize+size]
	if _, err := io.ReadFull(p.nc, body); err != nil {
		return 0, nil
	}
	return protocol.Type(kind), body
}

// work does jobs until the connection ends. Handles here end with the first
// NUL of JOB_ASSIGN.
func (p *benchPeer) work() {
	for {
		switch kind, body := p.hear(); kind {
		case protocol.Noop:
			p.say(protocol.GrabJob, "").write()
		case protocol.NoJob:
			p.say(protocol.PreSleep, "").write()
		case protocol.JobAssign:
			end := 0
			for body[end] != 0 {
				end++
			}
			p.out = protocol.AppendHeader(p.out, protocol.Req, protocol.WorkComplete, end+1)
			p.out = append(p.out, body[:end+1]...)
			p.say(protocol.GrabJob, "").write()
		case 0:
			return
		}
	}
}

// benchCalls makes b.N calls in all, by so many clients to as many workers.
func benchCalls(b *testing.B, pairs int, introduction ...protocol.Type) {
	dial := startBench(b)
	for range pairs {
		w := dial().say(protocol.CanDo, "f")
		for _, kind := range introduction {
			w.say(kind, "")
		}
		w.say(protocol.GrabJob, "").write()
		go w.work()
	}
	var clients sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for i := range pairs {
		c, calls := dial(), b.N/pairs
		if i < b.N%pairs {
			calls++
		}
		clients.Go(func() {
			for range calls {
				c.say(protocol.SubmitJob, "f\x00\x00payload").write()
				for kind := protocol.Type(1); kind != protocol.WorkComplete; kind, _ = c.hear() {
				}
			}
		})
	}
	clients.Wait()
}

func BenchmarkCall1x1(b *testing.B)         { benchCalls(b, 1) }
func BenchmarkCall1x1Parked(b *testing.B)   { benchCalls(b, 1, protocol.AllYours) }
func BenchmarkCall16x16(b *testing.B)       { benchCalls(b, 16) }
func BenchmarkCall16x16Parked(b *testing.B) { benchCalls(b, 16, protocol.AllYours) }

// BenchmarkBackground queues jobs, 64 of which are under way, with a store that
// answers at once.
func BenchmarkBackground(b *testing.B) {
	const inflight = 64
	c := startBench(b)()
	b.ReportAllocs()
	for left := b.N; left > 0; left -= inflight {
		n := min(left, inflight)
		for range n {
			c.say(protocol.SubmitJobBG, "f\x00\x00payload")
		}
		c.write()
		for range n {
			if kind, _ := c.hear(); kind != protocol.JobCreated {
				b.Fatal(kind)
			}
		}
	}
}

// BenchmarkSleepers reports the memory that a worker costs which has introduced
// itself and sleeps: heap and stack, of both ends, of which the far one has
// only its socket.
func BenchmarkSleepers(b *testing.B) {
	const sleepers = 2000
	dial := startBench(b)
	before := inUse()
	for range sleepers {
		w := dial().say(protocol.CanDo, "f").say(protocol.GrabJob, "")
		w.write()
		w.hear() // NO_JOB
		w.say(protocol.PreSleep, "").say(protocol.EchoReq, "").write()
		w.hear()
		w.in, w.out = nil, nil
	}
	b.ReportMetric(float64(inUse()-before)/sleepers, "B/worker")
	b.ReportMetric(0, "ns/op")
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
