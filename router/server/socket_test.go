package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"gearbolt/protocol"
)

// What is particular about real sockets: they are read and written without a
// goroutine that waits (conn.raw), their peers vanish in more than one way, and
// the kernel has a say. No story here tells how long anything takes.

// patience bounds waits for what is bound to happen.
const patience = 30 * time.Second

// A site is a server on real sockets.
type site struct {
	t      *testing.T
	server *Server
	store  *ledger
}

func newSite(t *testing.T, o Options) *site {
	t.Helper()
	s := &site{t: t, store: newLedger()}
	o.Router.HandlePrefix, o.Router.PayloadMemory = "H:test", 1<<30
	var err error
	if s.server, err = New(o, s.store, zap.NewNop()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.server.Close)
	return s
}

// listen serves on a free port or, as "unix", in a file.
func (s *site) listen(network string) net.Addr {
	s.t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(s.t.TempDir(), "socket")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		s.t.Fatal(err)
	}
	go s.server.Serve(l, nil)
	return l.Addr()
}

// A caller is a peer over a real socket.
type caller struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func (s *site) dial(a net.Addr) *caller {
	s.t.Helper()
	c, err := net.Dial(a.Network(), a.String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return &caller{t: s.t, Conn: c, r: bufio.NewReaderSize(c, 512)}
}

func (c *caller) send(kind protocol.Type, args ...[]byte) {
	c.t.Helper()
	if _, err := c.Write(protocol.Append(nil, protocol.Req, kind, args...)); err != nil {
		c.t.Fatal(err)
	}
}

// expect reads the next packet, which is to be of this kind, and returns its
// body.
func (c *caller) expect(kind protocol.Type) []byte {
	c.t.Helper()
	var header [protocol.HeaderSize]byte
	if _, err := io.ReadFull(c.r, header[:]); err != nil {
		c.t.Fatalf("instead of %s: %v", kind, err)
	}
	if got := protocol.Type(binary.BigEndian.Uint32(header[4:])); got != kind {
		c.t.Fatalf("got %s, want %s", got, kind)
	}
	body := make([]byte, binary.BigEndian.Uint32(header[8:]))
	if _, err := io.ReadFull(c.r, body); err != nil {
		c.t.Fatalf("within %s: %v", kind, err)
	}
	return body
}

// take waits until a job is there, and takes it.
func (c *caller) take() []byte {
	c.t.Helper()
	c.send(protocol.PreSleep)
	c.expect(protocol.Noop)
	c.send(protocol.GrabJob)
	return c.expect(protocol.JobAssign)
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7 >> 3)
	}
	return b
}

// Both payloads are far larger than what a socket takes at once, and both ends
// read in small pieces: most of it goes through the connection's own writer.
func TestHugePayloadsThroughSlowReaders(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		s := newSite(t, Options{})
		addr := s.listen(network)
		worker, client := s.dial(addr), s.dial(addr)
		payload := pattern(24 << 20)
		worker.send(protocol.CanDo, []byte("f"))
		client.send(protocol.SubmitJob, []byte("f"), nil, payload)
		handle := client.expect(protocol.JobCreated)
		job := worker.take()
		if !bytes.Equal(job, bytes.Join([][]byte{handle, []byte("f"), payload}, []byte{0})) {
			t.Fatalf("%s: the worker got other bytes than the client sent", network)
		}
		worker.send(protocol.WorkComplete, handle, payload)
		worker.send(protocol.EchoReq, []byte("behind"))
		worker.expect(protocol.EchoRes)
		if result := client.expect(protocol.WorkComplete); !bytes.Equal(result, bytes.Join([][]byte{handle, payload}, []byte{0})) {
			t.Fatalf("%s: the client got other bytes than the worker sent", network)
		}
	}
}

func TestInstantCloseBehindASubmission(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		s := newSite(t, Options{})
		addr := s.listen(network)
		const n = 200
		for i := range n {
			c := s.dial(addr)
			c.send(protocol.SubmitJobBG, []byte("f"), nil, fmt.Append(nil, i))
			c.Close()
		}
		worker, seen := s.dial(addr), map[string]bool{}
		worker.send(protocol.CanDo, []byte("f"))
		for range n {
			job := bytes.Split(worker.take(), []byte{0})
			seen[string(job[2])] = true
			worker.send(protocol.WorkComplete, job[0], nil)
		}
		if len(seen) != n {
			t.Errorf("%s: %d jobs of %d arrived", network, len(seen), n)
		}
	}
}

// reset closes the connection as a process that is killed with bytes unread.
func (c *caller) reset() {
	c.t.Helper()
	if err := c.Conn.(*net.TCPConn).SetLinger(0); err != nil {
		c.t.Fatal(err)
	}
	c.Close()
}

func TestWorkerThatIsResetLosesItsJob(t *testing.T) {
	s := newSite(t, Options{})
	addr := s.listen("tcp")
	client := s.dial(addr)
	client.send(protocol.SubmitJob, []byte("f"), nil, []byte("x"))
	handle := client.expect(protocol.JobCreated)
	for range 10 {
		worker := s.dial(addr)
		worker.send(protocol.CanDo, []byte("f"))
		if job := worker.take(); !bytes.HasPrefix(job, append(handle, 0)) {
			t.Fatalf("got %q", job)
		}
		worker.reset()
	}
	worker := s.dial(addr)
	worker.send(protocol.CanDo, []byte("f"))
	worker.take()
	worker.send(protocol.WorkComplete, handle, nil)
	client.expect(protocol.WorkComplete)
}

// A client that is reset while megabytes are on their way to it takes them with
// it, and nothing else.
func TestClientThatIsResetHoldsUpNobody(t *testing.T) {
	s := newSite(t, Options{})
	addr := s.listen("tcp")
	for range 10 {
		deaf := s.dial(addr)
		deaf.send(protocol.EchoReq, pattern(8<<20))
		if _, err := deaf.r.ReadByte(); err != nil {
			t.Fatal(err)
		}
		deaf.reset()
		other := s.dial(addr)
		other.send(protocol.EchoReq, []byte("x"))
		other.expect(protocol.EchoRes)
	}
	s.server.Close() // waits for all writers
}

// "printf 'show jobs\n' | nc -N": a peer that has said all that it has to say
// hears all that there is to hear.
func TestHalfClosedPeerIsAnswered(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		s := newSite(t, Options{})
		s.store.hold(true)
		c := s.dial(s.listen(network))
		c.send(protocol.SubmitJobBG, []byte("f"), nil, []byte("x"))
		c.send(protocol.EchoReq, pattern(8<<20))
		if err := c.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(patience); !s.store.answer(nil); {
			if time.Now().After(deadline) {
				t.Fatal("the job is not offered to the store")
			}
			time.Sleep(time.Millisecond) // asks again
		}
		c.expect(protocol.JobCreated)
		if !bytes.Equal(c.expect(protocol.EchoRes), pattern(8<<20)) {
			t.Errorf("%s: other bytes came back", network)
		}
		if b, err := c.r.ReadByte(); err != io.EOF {
			t.Errorf("%s: at the end %q, %v", network, b, err)
		}
	}
}

// A peer that sends a packet over the limit hears so, although the server does
// not read what it goes on to send.
func TestRefusalReachesThePeerThatGoesOnSending(t *testing.T) {
	s := newSite(t, Options{PacketLimit: 1000})
	c := s.dial(s.listen("tcp"))
	c.Write(append(protocol.AppendHeader(nil, protocol.Req, protocol.EchoReq, 256<<10), make([]byte, 256<<10)...))
	if got := c.expect(protocol.Error); !bytes.HasPrefix(got, []byte("ARGUMENT_TOO_LARGE\x00")) {
		t.Errorf("got %q", got)
	}
	if _, err := c.r.ReadByte(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestUnixSocketMayShutDown(t *testing.T) {
	s := newSite(t, Options{})
	c := s.dial(s.listen("unix"))
	fmt.Fprint(c, "shutdown\n")
	if line, err := c.r.ReadString('\n'); line != "OK\r\n" || err != nil {
		t.Errorf("got %q, %v", line, err)
	}
	<-s.server.Done()
	if err := s.server.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestSocketOptions(t *testing.T) {
	s := newSite(t, Options{
		KeepAlive:   net.KeepAliveConfig{Enable: true, Idle: 77 * time.Second, Interval: 7 * time.Second, Count: 3},
		UserTimeout: 45 * time.Second,
	})
	c := s.dial(s.listen("tcp"))
	c.send(protocol.EchoReq)
	c.expect(protocol.EchoRes)
	var raw syscall.RawConn
	s.server.mu.Lock()
	for conn := range s.server.conns {
		raw = conn.raw
	}
	s.server.mu.Unlock()
	for name, o := range map[string][3]int{
		"SO_KEEPALIVE":     {unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		"TCP_KEEPIDLE":     {unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 77},
		"TCP_KEEPINTVL":    {unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 7},
		"TCP_KEEPCNT":      {unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 3},
		"TCP_NODELAY":      {unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		"TCP_USER_TIMEOUT": {unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 45_000},
	} {
		raw.Control(func(fd uintptr) {
			if got, err := unix.GetsockoptInt(int(fd), o[0], o[1]); got != o[2] || err != nil {
				t.Errorf("%s is %d, %v; want %d", name, got, err, o[2])
			}
		})
	}
}
