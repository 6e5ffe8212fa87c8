package peers

import (
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gearbolt/integration/judge"
)

// stormTime is how long connections come as fast as they can.
const stormTime = 2 * time.Second

// Connections that come and go as fast as the machine allows: by a reset, by an
// orderly end, with and without a word before it.
func TestConnectStorm(t *testing.T) {
	s := launch(t)
	for range *rounds {
		s.beside(func() {
			came := s.storm(stormTime)
			t.Logf("%d connections, %.0f a second", came, float64(came)/stormTime.Seconds())
		})
	}
	s.await("all of them are gone", func() bool { return s.connected() == 0 })
	s.settles()
}

func (s *stage) storm(d time.Duration) int64 {
	var came atomic.Int64
	var all sync.WaitGroup
	end := time.Now().Add(d)
	for i := range 4 {
		all.Go(func() {
			for time.Now().Before(end) {
				c, err := net.DialTimeout("tcp", s.server.Addr, judge.Patience)
				if err != nil {
					s.Error(err)
					return
				}
				if i%2 == 0 {
					c.(*net.TCPConn).SetLinger(0)
				} else {
					c.Write([]byte("version\n"))
				}
				c.Close()
				came.Add(1)
			}
		})
	}
	all.Wait()
	return came.Load()
}

// With 64 descriptors those who come too late are told so, and those who are
// there go on.
func TestFewDescriptors(t *testing.T) {
	s := launch(t, "--file-descriptors", "64")
	const room = 64 - 48 - 2 // what the server needs itself, and the pair
	var refused, heard int
	s.beside(func() {
		for range room {
			s.admitted()
		}
		for end := time.Now().Add(time.Second); time.Now().Before(end); refused++ {
			c := s.bad()
			switch said := told(c); {
			case strings.Contains(said, "max-connections is reached"):
				heard++
			case said != "":
				t.Fatalf("a connection too many is answered with %q", said)
			}
			c.Close()
		}
	})
	t.Logf("%d connections were refused, and %d of them were told why", refused, heard)
	if heard == 0 {
		t.Error("nobody was told why")
	}
	if strings.Contains(s.server.Output(), "too many open files") {
		t.Errorf("the server ran out of descriptors:\n%.2000s", s.server.Output())
	}
}

// A process whose descriptors are used up all the same does not spin: it serves
// those who are there, and takes new connections when it can.
func TestNoDescriptors(t *testing.T) {
	s := launch(t)
	p := s.pair()
	defer p.end()
	if err := p.call(); err != nil {
		t.Fatal(err)
	}
	pid := s.server.Cmd.Process.Pid
	before := s.limitDescriptors(uint64(s.footprint().files))
	var waiting []net.Conn
	for range 50 {
		waiting = append(waiting, s.bad()) // as far as the kernel is concerned
	}
	began, used := time.Now(), cpuTime(t, pid)
	for time.Since(began) < 2*time.Second {
		if err := p.call(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond) // leaves the server to itself
	}
	used = cpuTime(t, pid) - used
	t.Logf("beside 50 connections without descriptors: %s; the server took %v of processor time in %v", p, used, time.Since(began).Round(time.Millisecond))
	if used > time.Second {
		t.Errorf("the server took %v of processor time in %v", used, time.Since(began))
	}
	s.limitDescriptors(before)
	for _, c := range waiting {
		l := judge.NewLine(c)
		if answer, err := l.Admin("version"); err != nil || !strings.HasPrefix(answer, "OK") {
			t.Fatalf("a connection that waited gets %q, %v", answer, err)
		}
		c.Close()
	}
	if n := s.counted("connections_put_off_descriptors"); n < 5 || n > 200 {
		t.Errorf("accepting failed %d times in %v", n, time.Since(began))
	}
}

// limitDescriptors sets how many files the server may have open, and returns
// what it might before.
func (s *stage) limitDescriptors(n uint64) (before uint64) {
	s.Helper()
	pid := s.server.Cmd.Process.Pid
	var was unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &was); err != nil {
		s.Fatal(err)
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: was.Max}, nil); err != nil {
		s.Fatal(err)
	}
	return was.Cur
}

// cpuTime is what a process has used of processors (proc(5): stat, in ticks of
// a hundredth of a second).
func cpuTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	return time.Duration(number(t, f[11])+number(t, f[12])) * 10 * time.Millisecond
}

// needDescriptors skips the test where this process, and so a server that it
// starts, may not have n files open, and not allow itself to.
func needDescriptors(t *testing.T, n uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Cur >= n {
		return
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: n, Max: max(n, limit.Max)}); err != nil {
		t.Skipf("the connections take %d file descriptors, and %d are allowed (ulimit -n): %v", n, limit.Max, err)
	}
}

// Thousands of connections that say nothing cost their memory and no more.
func TestIdleConnections(t *testing.T) {
	n := *connections
	needDescriptors(t, uint64(n)+200)
	s := launch(t)
	all := make([]net.Conn, 0, n)
	for range n {
		all = append(all, s.bad())
	}
	s.await("all are accepted", func() bool { return s.connected() >= n })
	took := s.footprint()
	t.Logf("%d idle connections: %v, before %v: %d bytes each", n, took, s.before, (took.resident-s.before.resident)/int64(n))
	s.beside(func() { time.Sleep(time.Second) }) // is how long it looks
	l := s.line()
	for _, command := range []string{"status", "workers"} {
		began := time.Now()
		if _, err := l.List(command); err != nil {
			t.Fatal(err)
		}
		t.Logf("beside them %q takes %v", command, time.Since(began).Round(10*time.Microsecond))
	}
	l.Close()
	for _, c := range all {
		c.Close()
	}
	s.settles()
}
