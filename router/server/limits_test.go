package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gearbolt/protocol"
	"gearbolt/router"
)

const mib = 1 << 20

func TestPeerThatNeverReadsIsDisconnected(t *testing.T) {
	story(t, Options{OutboxLimit: mib}, func(s *stage) {
		deaf := s.dial()
		deaf.answered()
		other := s.dial()
		part := strings.Repeat("x", 64<<10)
		for i := 0; !deaf.conn.out.isGone(); i++ {
			if i > 2*mib/len(part) {
				t.Fatalf("%d bytes wait for a peer that does not read", i*len(part))
			}
			deaf.send(protocol.EchoReq, part)
			other.answered()
		}
		other.write("workers\n")
		other.expectText("2 10.0.0.2 - :\n.\n")
	})
}

// A peer that is slow to read loses nothing below the limit.
func TestPeerThatReadsLate(t *testing.T) {
	story(t, Options{OutboxLimit: 4 * mib}, func(s *stage) {
		late, other := s.dial(), s.dial()
		part := strings.Repeat("x", 64<<10)
		for i := range 32 {
			late.send(protocol.EchoReq, part, fmt.Sprint(i))
			other.answered()
		}
		s.passes(time.Hour)
		for i := range 32 {
			late.expect(protocol.EchoRes, part, fmt.Sprint(i))
		}
		late.expectNothing()
	})
}

// One packet may be longer than what may wait.
func TestReplyLongerThanTheOutboxLimit(t *testing.T) {
	story(t, Options{OutboxLimit: 1000}, func(s *stage) {
		c := s.dial()
		long := strings.Repeat("x", 5000)
		c.send(protocol.EchoReq, long)
		c.expect(protocol.EchoRes, long)
	})
}

// Replies that wait for the store count like those that wait for the peer.
func TestRepliesThatWaitForTheStoreAreLimited(t *testing.T) {
	story(t, Options{OutboxLimit: mib}, func(s *stage) {
		s.store.hold(true)
		c, other := s.dial(), s.dial()
		c.send(protocol.SubmitJobBG, "f", "", "x")
		part := strings.Repeat("x", 64<<10)
		for i := 0; !c.conn.out.isGone(); i++ {
			if i > 2*mib/len(part) {
				t.Fatalf("%d bytes wait behind a reply", i*len(part))
			}
			c.send(protocol.EchoReq, part)
			other.answered()
		}
		s.letGo()
		if s.store.kept() != 1 {
			t.Error("the job went with the connection of who submitted it")
		}
	})
}

func TestHalfARequestHoldsUpNobody(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		header := string(protocol.AppendHeader(nil, protocol.Req, protocol.SubmitJob, 100))
		for _, half := range []string{"\x00", header[:7], header, header + "f\x00u\x00", "stat"} {
			s.dial().write(half)
		}
		w, c := s.worker("f"), s.dial()
		c.call(w, "f", "H:test:1-1")
		s.passes(time.Hour)
		c.call(w, "f", "H:test:1-2")
	})
}

// A header that claims a length makes the server keep no room for it.
func TestClaimedLengthIsNotBelieved(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		c := s.dial()
		c.write(string(protocol.AppendHeader(nil, protocol.Req, protocol.EchoReq, 60*mib)) + strings.Repeat("x", bufferSize))
		c.expectNothing()
		s.server.mu.Lock()
		defer s.server.mu.Unlock()
		for conn := range s.server.conns {
			if n := cap(conn.in.b); n > bufferKeep {
				t.Errorf("a buffer of %d bytes for %d", n, bufferSize)
			}
		}
	})
}

func TestPacketOverTheLimitIsRefusedByItsHeader(t *testing.T) {
	story(t, Options{PacketLimit: 1000}, func(s *stage) {
		c := s.dial()
		c.answered()
		c.send(protocol.EchoReq, strings.Repeat("x", 1000))
		c.expect(protocol.EchoRes, strings.Repeat("x", 1000))
		c.write(string(protocol.AppendHeader(nil, protocol.Req, protocol.SubmitJobBG, 1001)))
		c.expect(protocol.Error, "ARGUMENT_TOO_LARGE", "Packet of 1001 bytes exceeds the limit of 1000")
		c.expectClosed()
		if s.logged("connection closed") != 1 {
			t.Error("the log does not say why")
		}
		s.server.Reconfigure(Options{PacketLimit: 2000})
		c = s.dial()
		c.send(protocol.EchoReq, strings.Repeat("x", 2000))
		c.expect(protocol.EchoRes, strings.Repeat("x", 2000))
	})
}

// What came before bytes that make no sense is answered.
func TestNonsenseEndsTheConnectionBehindWhatCameBefore(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		for _, nonsense := range []string{"\x00REX", "\x00REQ\x00\x00\x00\x2b\x00\x00\x00\x00", strings.Repeat("x", 8192) + "\n"} {
			c := s.dial()
			c.write(string(protocol.Append(nil, protocol.Req, protocol.EchoReq, []byte("sense"))) + nonsense + "version\n")
			c.expect(protocol.EchoRes, "sense")
			c.expectClosed()
		}
		if n := s.logged("connection closed"); n != 3 {
			t.Errorf("%d lines in the log, want 3", n)
		}
	})
}

func TestOtherProtocolsAreClosedWithOneLine(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		for first, name := range map[string]string{
			"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n":  "HTTP",
			"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03": "TLS",
		} {
			before := s.logs.Len()
			c := s.dial()
			c.write(first)
			c.expectClosed()
			if s.logged("connection closed: it speaks "+name) != 1 || s.logs.Len() != before+1 {
				t.Errorf("%s: the log has %v", name, s.logs.All()[before:])
			}
		}
	})
}

func TestConnectionLimit(t *testing.T) {
	story(t, Options{MaxConnections: 2}, func(s *stage) {
		a, b := s.dial(), s.dial()
		a.answered()
		s.dial().turnedAway("max-connections")
		if s.logged("connection refused") != 1 {
			t.Error("the log has no line about it")
		}
		a.conn.Close()
		b.answered()
		c := s.dial()
		c.answered()
		s.dial().turnedAway("max-connections")
		s.server.Reconfigure(Options{MaxConnections: 3})
		s.dial().answered()
	})
}

func TestConnectionLimitOfAnAddress(t *testing.T) {
	story(t, Options{MaxConnectionsPerAddress: 2}, func(s *stage) {
		a := s.dialFrom("10.0.0.2")
		s.dialFrom("10.0.0.2").answered()
		s.dialFrom("10.0.0.2").turnedAway("max-connections-per-address")
		s.dialFrom("::ffff:10.0.0.2").turnedAway("max-connections-per-address") // the same, as a socket for both families sees it
		s.dialFrom("10.0.0.3").answered()
		a.conn.Close()
		s.passes(0)
		s.dialFrom("10.0.0.2").answered()
	})
}

// A submitter that is ahead of the disk is read no more, and nobody else is
// held up by it.
func TestSubmitterIsAsFastAsTheDisk(t *testing.T) {
	o := Options{Router: router.Config{PayloadMemory: 1}}
	story(t, o, func(s *stage) {
		s.store.hold(true)
		fast, other := s.dial(), s.dial()
		const jobs = 24
		payload := strings.Repeat("x", mib)
		for range jobs {
			fast.send(protocol.SubmitJobBG, "f", "", payload)
		}
		fast.expectNothing()
		if unread := fast.conn.out.unread(); unread < (jobs-12)*mib {
			t.Errorf("of %d MiB the server has read all but %d while nothing was stored", jobs, unread/mib)
		}
		other.answered()
		for fast.conn.out.unread() > 0 {
			s.answer(nil)
			if _, bytes := s.store.offered(); bytes > 12*mib {
				t.Errorf("%d MiB wait for the store", bytes/mib)
			}
		}
		s.letGo()
		if s.store.kept() != jobs {
			t.Errorf("%d jobs are stored, want %d", s.store.kept(), jobs)
		}
		for i := range jobs {
			fast.expect(protocol.JobCreated, fmt.Sprintf("H:test:1-%d", i+1))
		}
	})
}

// Many submitters, each below its own limit, are together held to another.
func TestSubmittersTogetherAreAsFastAsTheDisk(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		s.store.hold(true)
		const each = 6 * mib
		var last *peer
		for range DefaultCommitMemory/each + 2 {
			last = s.dial()
			last.send(protocol.SubmitJobBG, "f", "", strings.Repeat("x", each))
			last.expectNothing()
		}
		if unread := last.conn.out.unread(); unread > 0 {
			t.Errorf("%d bytes of somebody's only job were not read", unread)
		}
		last.send(protocol.SubmitJobBG, "f", "", "one more")
		last.expectNothing()
		if last.conn.out.unread() == 0 {
			t.Error("nobody is held back")
		}
		s.dial().answered()
		s.letGo()
		if last.conn.out.unread() > 0 {
			t.Error("all is stored, and a submitter is held back")
		}
	})
}
