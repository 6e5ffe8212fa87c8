package peers

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"

	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

// Peers that do not read. The kernel takes some megabytes for each of them
// before anything waits in the server.

// How many there are. The answers to "status" take the server more time.
const (
	silentReaders = 100
	silentAskers  = 25
)

// small are limits that are soon reached.
var small = []string{"--packet-limit", "512KiB", "--outbox-limit", "1MiB", "--payload-memory", "1MiB"}

// offer writes b again and again, until the server has closed the connection
// or so many bytes are written. It reports whether it was closed.
func offer(c net.Conn, b []byte, bytes int) (cut bool) {
	c.(*net.TCPConn).SetReadBuffer(4 * kib)
	c.SetWriteDeadline(time.Now().Add(judge.Patience))
	for n := 0; n < bytes; n += len(b) {
		if _, err := c.Write(b); err != nil {
			return true
		}
	}
	return false
}

// neverReading has peers send b over and over without reading a byte. All of
// them are cut off by the limit of their outbox.
func neverReading(t *testing.T, n int, b []byte, prepare func(*stage)) {
	s := launch(t, small...)
	prepare(s)
	s.before = s.footprint()
	s.beside(func() {
		s.each(n, func(_ int, c net.Conn) {
			if !offer(c, b, 256*mib) {
				t.Error("a client sent 256 MiB of requests and was not cut off")
			}
		})
	})
	s.awaitCount("connections_cut_outbox_limit", n)
	s.settles()
}

func TestClientsThatReadNoEcho(t *testing.T) {
	neverReading(t, silentReaders, request(protocol.EchoReq, strings.Repeat("x", 64*kib)), func(*stage) {})
}

func TestClientsThatReadNoStatus(t *testing.T) {
	neverReading(t, silentAskers, []byte(strings.Repeat("status\n", 64)), func(s *stage) {
		l := s.line()
		defer l.Close()
		for i := range 1000 {
			l.Send(protocol.CanDo, "function-"+strings.Repeat("x", i%50)+string(rune('a'+i%26)))
		}
		if _, err := l.Ask(protocol.EchoRes, protocol.EchoReq, "settled"); err != nil {
			s.Fatal(err)
		}
	})
}

// result is what the big worker answers.
var result = strings.Repeat("r", 256*kib)

// answerBig does jobs of function "big", until the connection ends.
func (s *stage) answerBig(l *judge.Line) {
	l.Send(protocol.CanDo, "big")
	for l.Send(protocol.GrabJob); ; {
		p, err := l.Receive()
		switch {
		case err != nil:
			return
		case p.Type == protocol.NoJob:
			l.Send(protocol.PreSleep)
		case p.Type == protocol.Noop:
			l.Send(protocol.GrabJob)
		default:
			l.Send(protocol.WorkComplete, p.Args[0], result)
			l.Send(protocol.GrabJob)
		}
	}
}

// Clients submit jobs, and do not read what comes of them.
func TestClientsThatReadNoResults(t *testing.T) {
	s := launch(t, small...)
	jobs := bytes.Repeat(request(protocol.SubmitJob, "big", "", "x"), 40) // 10 MiB of results
	worker, done := s.line(), make(chan struct{})
	go func() {
		defer close(done)
		s.answerBig(worker)
	}()
	s.await("the worker is there", func() bool { return s.connected() == 1 })
	s.before = s.footprint()
	s.beside(func() {
		for range silentReaders {
			c := s.bad()
			defer c.Close()
			c.(*net.TCPConn).SetReadBuffer(4 * kib)
			c.Write(jobs)
		}
		s.awaitCount("connections_cut_outbox_limit", silentReaders)
	})
	s.settles()
	worker.Close()
	<-done
}

// Workers that ask for jobs and read none are cut off, and the jobs, which
// they never had, are done by somebody else.
func TestWorkersThatReadNoJobs(t *testing.T) {
	const atATime, times, jobs = 8, 5, 30 // 7.5 MiB each
	s := launch(t, small...)
	client := s.line()
	for range atATime * jobs {
		if _, err := client.Ask(protocol.JobCreated, protocol.SubmitJobBG, "heavy", "", result); err != nil {
			t.Fatal(err)
		}
	}
	client.Close()
	grabs := append(request(protocol.CanDo, "heavy"), bytes.Repeat(request(protocol.GrabJob), jobs)...)
	s.beside(func() {
		for i := range times {
			for range atATime {
				c := s.bad()
				defer c.Close()
				c.(*net.TCPConn).SetReadBuffer(4 * kib)
				c.Write(grabs)
			}
			s.awaitCount("connections_cut_outbox_limit", (i+1)*atATime)
		}
	})
	s.await("all jobs wait", func() bool {
		total, running := s.function("heavy")
		return total == atATime*jobs && running == 0
	})
	s.drainHeavy(atATime * jobs)
	s.settles()
}

func (s *stage) drainHeavy(jobs int) {
	s.Helper()
	w := s.line()
	defer w.Close()
	w.Send(protocol.CanDo, "heavy")
	for range jobs {
		args, err := w.Ask(protocol.JobAssign, protocol.GrabJob)
		if err != nil || args[2] != result {
			s.Fatalf("a worker afterwards got %.100q, %v", args, err)
		}
		w.Send(protocol.WorkComplete, args[0], "")
	}
}
