package server

import (
	"slices"
	"testing"
	"time"

	"gearbolt/protocol"
	"gearbolt/router"
)

// large is a packet that takes as much of the read memory as it has bytes.
func large(bytes int) string {
	return string(protocol.Append(nil, protocol.Req, protocol.EchoReq, make([]byte, bytes-protocol.HeaderSize)))
}

// A part is how much of a large packet a peer has sent.
type part struct {
	*peer
	packet string
	sent   int
}

// sends has p send more of its packet.
func (p *part) sends(bytes int) {
	n := min(bytes, len(p.packet)-p.sent)
	p.write(p.packet[p.sent : p.sent+n])
	p.sent += n
}

// begins has a peer send the beginning of a packet.
func (s *stage) begins(packet string, bytes int) *part {
	p := &part{s.dial(), packet, 0}
	p.sends(bytes)
	s.passes(0)
	return p
}

// trickle has them send on at a rate, for a time.
func (s *stage) trickle(all []*part, rate int, d time.Duration) {
	for range int(d / time.Second) {
		for _, p := range all {
			if p.receive(); !p.over {
				p.sends(rate)
			}
		}
		s.passes(time.Second)
	}
}

const tooSlow = "The packet comes too slowly while others wait: read-memory is used up"

// Peers that send just fast enough for the read timeout have all of the read
// memory. Others who want some of it get it within seconds, from those who would
// keep most of it longest; and whom it takes nothing from to go on goes on.
func TestSlowSendersDoNotKeepTheReadMemory(t *testing.T) {
	story(t, Options{ReadMemory: 16 * mib, ReadTimeout: 10 * time.Second}, func(s *stage) {
		var slow []*part
		packet := large(60 * mib)
		for range 46 { // each takes 256 KiB of 12 MiB
			slow = append(slow, s.begins(packet, 140<<10))
		}
		s.trickle(slow, 2*leastRate, 50*time.Second)
		if n := s.connections(); n != len(slow) {
			t.Fatalf("%d of %d that keep to the read timeout are left, and nobody waits", n, len(slow))
		}
		quick := s.begins(large(5*mib), 5*mib)
		s.trickle(slow, 2*leastRate, roomGrace+lookEvery)
		quick.expect(protocol.EchoRes, quick.packet[protocol.HeaderSize:])
		cut := 0
		for _, p := range slow {
			if p.receive(); p.over {
				p.expect(protocol.Error, "QUEUE_ERROR", tooSlow)
				cut++
			}
		}
		if cut == 0 || cut == len(slow) || s.counted(router.ReadsOverReadMemory) != uint64(cut) {
			t.Errorf("%d of %d were cut off, %d are counted", cut, len(slow), s.counted(router.ReadsOverReadMemory))
		}
		if n := s.logged("connection closed: its packet comes too slowly while others wait; see read-memory"); n != cut {
			t.Errorf("%d lines in the log for %d that were cut off", n, cut)
		}
	})
}

// Who is cut off is who would keep most for longest: neither who has little, nor
// who is nearly done, nor who is fast.
func TestWhoKeepsMostForLongestIsCutOff(t *testing.T) {
	story(t, Options{ReadMemory: 16 * mib}, func(s *stage) {
		little := s.begins(large(4*mib), 200<<10)
		nearly := s.begins(large(2*mib), 2*mib-8<<10)
		worst := s.begins(large(8*mib), 5*mib)
		fast := s.begins(large(2*mib), 1100<<10)
		s.passes(time.Second)
		waits := s.begins(large(3*mib), 3*mib)
		for range 6 {
			s.trickle([]*part{little, nearly, worst}, leastRate, time.Second)
			fast.sends(100 << 10)
		}
		worst.expect(protocol.Error, "QUEUE_ERROR", tooSlow)
		waits.expect(protocol.EchoRes, waits.packet[protocol.HeaderSize:])
		for _, p := range []*part{little, nearly, fast} {
			p.sends(len(p.packet))
			p.expect(protocol.EchoRes, p.packet[protocol.HeaderSize:])
		}
	})
}

// Where all who have some of the read memory wait for more, the one that is
// furthest from done makes room for the others.
func TestTwoHalvesDoNotWaitForEachOther(t *testing.T) {
	story(t, Options{ReadMemory: 6 * mib}, func(s *stage) {
		near := s.begins(large(4*mib), 3*mib/2)
		far := s.begins(large(6*mib), 3*mib/2)
		for _, p := range []*part{near, far} {
			p.sends(len(p.packet))
		}
		s.passes(roomGrace + lookEvery)
		near.expect(protocol.EchoRes, near.packet[protocol.HeaderSize:])
		far.expect(protocol.Error, "QUEUE_ERROR", "Too many large packets at once: read-memory is used up")
	})
}

// Of many that wait for each other as many arrive as there is room for.
func TestManyHalvesDoNotWaitForEachOther(t *testing.T) {
	story(t, Options{ReadMemory: 32 * mib}, func(s *stage) {
		var all []*part
		packet := large(12 * mib)
		for range 17 {
			all = append(all, s.begins(packet, 900<<10))
		}
		for _, p := range all {
			p.sends(len(p.packet))
		}
		s.passes(roomPatience - lookEvery)
		told, whole := 0, 0
		for _, p := range all {
			if p.receive(); p.over {
				p.expect(protocol.Error, "QUEUE_ERROR", "Too many large packets at once: read-memory is used up")
				told++
			} else {
				p.expect(protocol.EchoRes, packet[protocol.HeaderSize:])
				whole++
			}
		}
		if whole < 2 {
			t.Errorf("%d of %d arrived, %d were refused", whole, len(all), told)
		}
		t.Logf("%d of %d arrived, %d were refused", whole, len(all), told)
	})
}

// A packet that is as large as all of the read memory arrives, if alone.
func TestPacketAsLargeAsTheReadMemory(t *testing.T) {
	story(t, Options{ReadMemory: 4 * mib}, func(s *stage) {
		p := s.begins(large(4*mib), 4*mib)
		p.expect(protocol.EchoRes, p.packet[protocol.HeaderSize:])
	})
}

// What is given back goes first to those who have some already, in the order of
// what they lack, as far as there is enough for each; then to the others in turn:
// many who want little do not take it from one who wants much.
func TestReadMemoryIsHandedOutInTurn(t *testing.T) {
	a := &allowance{limit: 10}
	if a.take(want{n: 6}) != nil || a.take(want{n: 4}) != nil {
		t.Fatal("what is there is not given")
	}
	claims := make(map[string]*claim)
	for name, w := range map[string]want{"larger": {n: 7, own: 2, missing: 7}, "large": {n: 5, own: 4, missing: 5}} {
		claims[name] = a.take(w)
	}
	claims["first"], claims["second"] = a.take(want{n: 3}), a.take(want{n: 1})
	granted := func(want ...string) {
		t.Helper()
		var got []string
		for name, c := range claims {
			if c.granted {
				got = append(got, name)
			}
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Fatalf("%q have what they want, not %q", got, want)
		}
	}
	a.give(4)
	granted()
	a.give(1)
	granted("large")
	a.give(6)
	granted("large")
	a.abandon(claims["larger"])
	granted("first", "large", "second")
	if a.inUse() != 8 || a.awaited() {
		t.Errorf("%d are in use, and somebody waits: %v", a.inUse(), a.awaited())
	}
}

// Who is to give its memory back for a message that has become complete by then
// is read on, unless it has been closed meanwhile.
func TestEvictedTooLate(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		p := s.dial()
		p.answered()
		evictLate := func(meanwhile func(*conn)) {
			c := s.server.allConns()[0]
			c.half.mu.Lock()
			c.half.evicted = 7
			meanwhile(c)
			c.nc.SetReadDeadline(time.Unix(1, 0))
			c.half.mu.Unlock()
			s.passes(0)
		}
		evictLate(func(*conn) {})
		p.answered()
		evictLate(func(c *conn) {
			c.server.visit(func(m *router.Machine, _ time.Time) { m.Refuse(c.router, protocol.QueueError, "enough") })
		})
		p.expect(protocol.Error, "QUEUE_ERROR", "enough")
		p.expectClosed()
		s.passes(2 * lingerTime) // or only then it sees that it is too late
		if n := s.connections(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
}
