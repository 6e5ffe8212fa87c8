package peers

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

var (
	connections = flag.Int("connections", 10_000, "idle connections at a time")
	malformed   = flag.Int("malformed", 20_000, "malformed conversations")
	seed        = flag.Uint64("seed", 1, "the first malformed conversation")
	rounds      = flag.Int("rounds", 1, "rounds of storms and stalled handshakes")
)

const (
	kib = 1 << 10
	mib = 1 << 20
)

// A stage is a server, and what it took before anybody came.
type stage struct {
	*testing.T
	server *harness.Server
	dial   func() (net.Conn, error) // for those who behave
	before footprint

	listeners int // sockets of the server's that are no connections
}

// launch starts a server with data in memory: what is on disk is for others to
// test.
func launch(t *testing.T, args ...string) *stage {
	t.Helper()
	s := &stage{T: t, server: harness.Gearbolt(t, append([]string{"--store", "memory"}, args...)...), listeners: 1}
	for _, a := range args {
		if a == "--listen" {
			s.listeners++
		}
	}
	s.dial = func() (net.Conn, error) { return net.DialTimeout("tcp", s.server.Addr, judge.Patience) }
	s.warmUp()
	return s
}

// warmUp has everything done once that takes memory which stays, and sees what
// the server takes then.
func (s *stage) warmUp() {
	s.Helper()
	p := s.pair()
	for range 200 {
		if err := p.call(); err != nil {
			s.Fatal(err)
		}
	}
	p.end()
	s.await("both are gone", func() bool { return s.connected() == 0 })
	s.await("so is who asked for that", func() bool { return s.sockets() == s.listeners })
	s.before = s.footprint()
}

// sockets is how many the server has.
func (s *stage) sockets() (n int) {
	s.Helper()
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", s.server.Cmd.Process.Pid))
	if err != nil {
		s.Fatal(err)
	}
	for _, link := range links {
		if to, _ := os.Readlink(link); strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// line opens a connection of somebody who behaves.
func (s *stage) line() *judge.Line {
	s.Helper()
	c, err := s.dial()
	if err != nil {
		s.Fatalf("%v\n%.2000s", err, s.server.Output())
	}
	s.Cleanup(func() { c.Close() })
	return judge.NewLine(c)
}

// bad opens a connection of somebody who will not.
func (s *stage) bad() net.Conn {
	s.Helper()
	c, err := net.DialTimeout("tcp", s.server.Addr, judge.Patience)
	if err != nil {
		s.Fatalf("%v\n%.2000s", err, s.server.Output())
	}
	s.Cleanup(func() { c.Close() })
	return c
}

// admitted is a bad peer that has been let in, where there is a limit to how
// many are: those who have just left may still be counted for a moment.
func (s *stage) admitted() (c net.Conn) {
	s.Helper()
	s.await("there is room for one more", func() bool {
		c = s.bad()
		answer, err := judge.NewLine(c).Admin("version")
		if err != nil {
			c.Close()
		}
		return strings.HasPrefix(answer, "OK")
	})
	return c
}

// each does f for n bad peers at a time, each on a connection of its own.
func (s *stage) each(n int, f func(i int, c net.Conn)) {
	s.Helper()
	var all sync.WaitGroup
	for i := range n {
		c := s.bad()
		all.Go(func() {
			f(i, c)
			c.Close()
		})
	}
	all.Wait()
}

// counted is what a counter stands at.
func (s *stage) counted(counter string) int {
	s.Helper()
	l := s.line()
	defer l.Close()
	lines, err := l.List("counters")
	if err != nil {
		s.Fatal(err)
	}
	for _, line := range lines {
		if name, n, _ := strings.Cut(line, "\t"); name == counter {
			return number(s, n)
		}
	}
	s.Fatalf("no counter %s in %q", counter, lines)
	return 0
}

// connected is how many connections the server has beside the one that asks.
func (s *stage) connected() int {
	s.Helper()
	l := s.line()
	defer l.Close()
	lines, err := l.List("workers")
	if err != nil {
		s.Fatal(err)
	}
	return len(lines) - 1
}

// function is how many jobs of a function there are, and how many of them run.
func (s *stage) function(name string) (total, running int) {
	s.Helper()
	l := s.line()
	defer l.Close()
	lines, err := l.List("status")
	if err != nil {
		s.Fatal(err)
	}
	for _, line := range lines {
		if f := strings.Split(line, "\t"); f[0] == name {
			return number(s, f[1]), number(s, f[2])
		}
	}
	return 0, 0
}

func number(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// await asks until f holds.
func (s *stage) await(what string, f func() bool) {
	s.Helper()
	for deadline := time.Now().Add(judge.Patience); !f(); {
		if s.server.Exited() {
			s.Fatalf("the server is gone: %v\n%.4000s", s.server.Wait(time.Second), s.server.Output())
		}
		if time.Now().After(deadline) {
			s.Fatalf("it is not so that %s\n%.2000s", what, s.server.Output())
		}
		time.Sleep(20 * time.Millisecond) // asks again
	}
}

// awaitCount waits until a counter stands at n.
func (s *stage) awaitCount(counter string, n int) {
	s.Helper()
	s.await(fmt.Sprintf("%s is %d, but %d", counter, n, s.counted(counter)), func() bool { return s.counted(counter) == n })
}

// request is a packet to the server.
func request(kind protocol.Type, args ...string) []byte {
	b := make([][]byte, len(args))
	for i, a := range args {
		b[i] = []byte(a)
	}
	return protocol.Append(nil, protocol.Req, kind, b...)
}

// told reads all that a server says to somebody until it closes.
func told(c net.Conn) string {
	c.SetReadDeadline(time.Now().Add(judge.Patience))
	b, err := io.ReadAll(c)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		return fmt.Sprintf("%q, and then %v", b, err)
	}
	return string(b)
}

// A footprint is what a server takes.
type footprint struct {
	files    int
	resident int64 // bytes
}

func (s *stage) footprint() footprint {
	s.Helper()
	dir := fmt.Sprintf("/proc/%d/", s.server.Cmd.Process.Pid)
	files, err := os.ReadDir(dir + "fd")
	if err != nil {
		s.Fatal(err)
	}
	status, err := os.ReadFile(dir + "status")
	if err != nil {
		s.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	return footprint{len(files), int64(number(s, strings.Fields(rest)[0])) * kib}
}

func (f footprint) String() string { return fmt.Sprintf("%d files, %d MiB", f.files, f.resident/mib) }

// spare is what a server may keep for the next time: buffers, stacks and tables
// that have grown, beside a fifth of what it took before. It does not look for
// garbage when less than 32 MiB can be.
const spare = 56 * mib

// settles waits until the server takes about as much as before.
func (s *stage) settles() {
	s.Helper()
	limit := s.before.resident*6/5 + spare
	defer func() { s.Logf("before %v, afterwards %v", s.before, s.footprint()) }()
	s.await(fmt.Sprintf("the server has %d files and %d MiB at most", s.before.files, limit/mib), func() bool {
		f := s.footprint()
		return f.files <= s.before.files && f.resident <= limit
	})
}
