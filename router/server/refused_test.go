package server

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gearbolt/protocol"
	"gearbolt/router"
)

// turnedAway is sure that p was told which limit keeps it out.
func (p *peer) turnedAway(limit string) {
	p.t.Helper()
	p.expect(protocol.Error, "QUEUE_ERROR", "Too many connections: "+limit+" is reached")
	p.expectClosed()
}

// counted is how often something was counted.
func (s *stage) counted(c router.Counter) uint64 {
	s.passes(0)
	return s.server.Counters()[c]
}

// Those who are turned away and say something before they read hear why, but
// only so many at a time may take their time about it.
func TestTurnedAwayPeersDoNotStay(t *testing.T) {
	story(t, Options{MaxConnections: 1}, func(s *stage) {
		in := s.dial()
		in.answered()
		var out []*peer
		for range 2 * farewellLimit {
			p := s.dial()
			p.turnedAway("max-connections")
			out = append(out, p)
		}
		for i, p := range out {
			_, err := p.conn.Write([]byte("x"))
			if stays := err == nil; stays != (i < farewellLimit) {
				t.Errorf("connection %d, turned away, is still there: %v", i, stays)
			}
		}
		s.passes(farewellTime)
		if n := s.server.farewells.Load(); n != 0 {
			t.Errorf("%d that were turned away are still there", n)
		}
		if n := s.counted(router.ConnectionsOverMaxConnections); n != 2*farewellLimit {
			t.Errorf("%d refusals are counted", n)
		}
		in.answered()
	})
}

// A server that ends does not wait for those who were turned away to read why.
func TestCloseDoesNotWaitForThoseTurnedAway(t *testing.T) {
	story(t, Options{MaxConnections: 1}, func(s *stage) {
		s.dial().answered()
		s.dial().turnedAway("max-connections")
		began := time.Now()
		s.server.Close()
		if waited := time.Since(began); waited > 0 {
			t.Errorf("it waited for %v", waited)
		}
	})
}

// A message that has begun must arrive within the time.
func TestHalfAMessageIsNotWaitedForForEver(t *testing.T) {
	story(t, Options{ReadTimeout: time.Minute}, func(s *stage) {
		header := string(protocol.AppendHeader(nil, protocol.Req, protocol.SubmitJob, 1<<20))
		idle := s.dial()
		var slow []*peer
		for _, half := range []string{"\x00", header[:7], header, header + "f\x00u\x00", "stat"} {
			p := s.dial()
			p.answered()
			p.write(half)
			slow = append(slow, p)
		}
		for range 6 {
			s.passes(10*time.Second - time.Second)
			for _, p := range slow[2:4] {
				p.write("x") // a byte now and then is not enough
			}
		}
		for _, p := range slow {
			p.expectNothing()
		}
		s.passes(time.Minute/10 + 2*sweepEvery)
		for _, p := range slow {
			p.expect(protocol.Error, "INVALID_PACKET", "The packet did not arrive in time: read-timeout")
			p.expectClosed()
		}
		s.passes(lingerTime)
		idle.answered()
		if n := s.counted(router.ReadsOverReadTimeout); n != uint64(len(slow)) {
			t.Errorf("%d connections are counted", n)
		}
		if n := s.connections(); n != 1 {
			t.Errorf("%d connections are left", n)
		}
	})
}

// connections is how many there are.
func (s *stage) connections() int {
	s.passes(0)
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	return len(s.server.conns)
}

// A large packet on a slow line is waited for as long as it comes.
func TestLargePacketOnASlowLineArrives(t *testing.T) {
	story(t, Options{ReadTimeout: time.Minute}, func(s *stage) {
		c := s.dial()
		part := strings.Repeat("x", 3*leastRate)
		const parts = 200
		c.write(string(protocol.AppendHeader(nil, protocol.Req, protocol.EchoReq, parts*len(part))))
		for range parts {
			s.passes(2 * time.Second)
			c.write(part)
		}
		c.expect(protocol.EchoRes, strings.Repeat(part, parts))
		s.passes(time.Hour)
		c.answered()
	})
}

// A connection that the server itself does not read, since the store is behind,
// is not blamed for the message that it is in the middle of.
func TestThrottledSubmitterIsNotTakenForASlowOne(t *testing.T) {
	story(t, Options{ReadTimeout: time.Minute}, func(s *stage) {
		s.store.hold(true)
		c := s.dial()
		job := string(protocol.Append(nil, protocol.Req, protocol.SubmitJobBG, []byte("f"), nil, make([]byte, 10*mib)))
		c.write(job + job[:100])
		s.passes(time.Hour)
		c.expectNothing()
		s.letGo()
		c.write(job[100:])
		c.expect(protocol.JobCreated, "H:test:1-1")
		c.expect(protocol.JobCreated, "H:test:1-2")
	})
}

func (a *allowance) inUse() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.used
}

// Large packets that arrive at once share the read memory: some wait for it, in
// vain if nobody gives any back, and the others arrive.
func TestReadMemory(t *testing.T) {
	story(t, Options{ReadMemory: 4 * mib}, func(s *stage) {
		packet := string(protocol.Append(nil, protocol.Req, protocol.EchoReq, make([]byte, 2*mib)))
		var all []*peer
		for range 6 {
			p := s.dial()
			p.write(packet[:len(packet)-1])
			all = append(all, p)
		}
		s.passes(time.Second)
		if used := s.server.reading.inUse(); used > 4*mib {
			t.Errorf("%d bytes of buffers", used)
		}
		s.passes(time.Duration(len(all)) * roomPatience) // who gets some of it may have to wait for more
		told := 0
		for _, p := range all {
			p.receive()
			if p.over {
				p.expect(protocol.Error, "QUEUE_ERROR", "Too many large packets at once: read-memory is used up")
				told++
				continue
			}
			p.write(packet[len(packet)-1:])
			p.expect(protocol.EchoRes, string(make([]byte, 2*mib)))
		}
		if told == 0 || told == len(all) || s.counted(router.ReadsOverReadMemory) != uint64(told) {
			t.Errorf("%d of %d were refused, %d are counted", told, len(all), s.counted(router.ReadsOverReadMemory))
		}
		if used := s.server.reading.inUse(); used != 0 {
			t.Errorf("%d bytes are still in use", used)
		}
		p := s.dial()
		p.write(packet)
		p.expect(protocol.EchoRes, string(make([]byte, 2*mib)))
	})
}

// Peers that do not read share the outbox memory: who lets most wait goes.
func TestOutboxMemory(t *testing.T) {
	story(t, Options{OutboxMemory: 4 * mib}, func(s *stage) {
		part := strings.Repeat("x", 256<<10)
		var deaf []*peer
		for range 20 {
			p := s.dial()
			p.send(protocol.EchoReq, part)
			deaf = append(deaf, p)
		}
		worst := deaf[3]
		for i := 0; i < 6 && !worst.conn.out.isGone(); i++ {
			worst.send(protocol.EchoReq, part)
			s.passes(0)
		}
		s.passes(0)
		if n := s.server.backlog.bytes.Load(); n > 4*mib || !worst.conn.out.isGone() {
			t.Errorf("%d bytes wait, and the worst peer is gone: %v", n, worst.conn.out.isGone())
		}
		gone := 0
		for _, p := range deaf {
			if p.conn.out.isGone() {
				gone++
				continue
			}
			p.expect(protocol.EchoRes, part)
			p.answered()
		}
		if n := s.counted(router.OutboxesOverOutboxMemory); n != uint64(gone) || gone > 10 {
			t.Errorf("%d of %d are gone, %d are counted", gone, len(deaf), n)
		}
		if n := s.server.backlog.bytes.Load(); n != 0 {
			t.Errorf("%d bytes wait for nobody", n)
		}
		if s.logged("connection closed: the peer reads too slowly; see outbox-memory") != gone {
			t.Error("the log does not say whom it was")
		}
	})
}

// What limits refuse by the thousand is said in one line.
func TestRefusalsAreSaidTogether(t *testing.T) {
	var dropped atomic.Uint64
	o := Options{Router: router.Config{Limits: router.Limits{Jobs: 1}}, LogLinesDropped: dropped.Load}
	story(t, o, func(s *stage) {
		c := s.dial()
		c.send(protocol.SubmitJob, "f", "", "")
		c.expect(protocol.JobCreated, "H:test:1-1")
		for range 1000 {
			c.send(protocol.SubmitJob, "f", "", "")
			c.expect(protocol.Error, "QUEUE_ERROR", "Job queue is full: max-jobs is reached")
		}
		dropped.Store(7)
		s.passes(3 * sweepEvery)
		if n := s.logged("refused, in the last seconds"); n != 1 {
			t.Fatalf("%d lines", n)
		}
		fields := s.logs.FilterMessage("refused, in the last seconds").All()[0].ContextMap()
		if fields["jobs_refused_max_jobs"] != uint64(1000) || fields["log_lines_dropped"] != uint64(7) {
			t.Errorf("the line says %v", fields)
		}
		c.write("counters\n")
		c.receive()
		if got := string(c.got); !strings.Contains(got, "jobs_refused_max_jobs\t1000\n") || !strings.HasSuffix(got, "log_lines_dropped\t7\n.\n") {
			t.Errorf("the counters are %q", got)
		}
	})
}

// Peers that send large packets slowly have the read memory for as long as they
// like. Payloads that workers wait for are read back nevertheless.
func TestSlowSendersDoNotHoldUpWorkers(t *testing.T) {
	o := Options{ReadMemory: 4 * mib, Router: router.Config{PayloadMemory: 1}}
	story(t, o, func(s *stage) {
		c := s.dial()
		payload := strings.Repeat("x", mib)
		c.send(protocol.SubmitJobBG, "f", "", payload)
		c.expect(protocol.JobCreated, "H:test:1-1")
		packet := string(protocol.Append(nil, protocol.Req, protocol.EchoReq, make([]byte, 2*mib)))
		for range 2 {
			s.dial().write(packet[:len(packet)-1])
		}
		s.passes(time.Second)
		w := s.awake("f")
		w.send(protocol.GrabJob)
		w.expect(protocol.JobAssign, "H:test:1-1", "f", payload)
	})
}
