package server

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"gearbolt/protocol"
)

// A stage is a server with peers around it, in a bubble of virtual time. The
// stories on it are told by one goroutine: before a peer looks at what has come
// for it, everybody else does all that there is to do.
type stage struct {
	t        *testing.T
	server   *Server
	store    *ledger
	listener *memListener
	logs     *observer.ObservedLogs
	served   chan error
	dialled  int
}

// story tells one. At its end the server closes, and the bubble fails the test
// if a goroutine is left.
func story(t *testing.T, o Options, tell func(*stage)) {
	storyWith(t, o, newLedger(), tell)
}

func storyWith(t *testing.T, o Options, store *ledger, tell func(*stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if o.Router.PayloadMemory == 0 {
			o.Router.PayloadMemory = 1 << 30
		}
		o.Router.HandlePrefix, o.Router.Version = "H:test", "9.9"
		s := &stage{t: t, store: store, served: make(chan error, 1)}
		core, logs := observer.New(zapcore.DebugLevel)
		server, err := New(o, store, zap.New(core))
		if err != nil {
			t.Fatal(err)
		}
		s.server, s.logs = server, logs
		s.listener = newMemListener(tcpAddr("10.0.0.1", 4730))
		go func() { s.served <- server.Serve(s.listener, nil) }()
		t.Cleanup(func() {
			server.Close()
			if err := <-s.served; err != nil {
				t.Errorf("Serve: %v", err)
			}
		})
		synctest.Wait() // until it accepts
		tell(s)
	})
}

func tcpAddr(ip string, port int) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: port} }

// logged counts the lines of the log that begin with text.
func (s *stage) logged(text string) (n int) {
	synctest.Wait()
	for _, e := range s.logs.All() {
		if strings.HasPrefix(e.Message, text) {
			n++
		}
	}
	return n
}

// done reports whether the server wants to end.
func (s *stage) done() bool {
	synctest.Wait()
	select {
	case <-s.server.Done():
		return true
	default:
		return false
	}
}

// answer ends the commit that waits, and has everybody hear of it.
func (s *stage) answer(err error) {
	s.t.Helper()
	synctest.Wait()
	if !s.store.answer(err) {
		s.t.Fatal("no commit waits for its answer")
	}
	synctest.Wait()
}

// letGo answers the commit that waits, and holds none back any more.
func (s *stage) letGo() {
	s.t.Helper()
	s.store.hold(false)
	s.answer(nil)
}

// A peer is a client, a worker or an operator.
type peer struct {
	*stage
	name string
	conn *memConn
	got  []byte
	over bool
}

func (s *stage) dial() *peer { return s.dialFrom("10.0.0.2") }

func (s *stage) dialFrom(ip string) *peer {
	s.t.Helper()
	s.dialled++
	return s.peer(s.listener, tcpAddr(ip, 1000+s.dialled))
}

func (s *stage) peer(l *memListener, from net.Addr) *peer {
	s.t.Helper()
	conn := l.dial(from)
	if conn == nil {
		s.t.Fatal("the listener is closed")
	}
	return &peer{stage: s, name: fmt.Sprintf("peer %d", s.dialled), conn: conn}
}

// awake is a worker that can do function and does not sleep.
func (s *stage) awake(function string) *peer {
	s.t.Helper()
	w := s.dial()
	w.send(protocol.CanDo, function)
	return w
}

// worker is one that sleeps.
func (s *stage) worker(function string) *peer {
	s.t.Helper()
	w := s.awake(function)
	w.send(protocol.PreSleep)
	w.expectNothing()
	return w
}

// send sends a request.
func (p *peer) send(kind protocol.Type, args ...string) {
	b := make([][]byte, len(args))
	for i, a := range args {
		b[i] = []byte(a)
	}
	p.write(string(protocol.Append(nil, protocol.Req, kind, b...)))
}

// write sends bytes.
func (p *peer) write(b string) {
	p.t.Helper()
	if _, err := p.conn.Write([]byte(b)); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

// receive lets everybody else work, and takes what has come of it.
func (p *peer) receive() {
	for {
		synctest.Wait()
		b, over := p.conn.in.take()
		p.got, p.over = append(p.got, b...), over
		if len(b) == 0 {
			return
		}
	}
}

// expect takes the next packet, which is to be this one.
func (p *peer) expect(kind protocol.Type, args ...string) {
	p.t.Helper()
	p.receive()
	body := strings.Join(args, "\x00")
	want := append(protocol.AppendHeader(nil, protocol.Res, kind, len(body)), body...)
	if !bytes.HasPrefix(p.got, want) {
		p.t.Fatalf("%s: got %.200q, want %s %.200q", p.name, p.got, kind, body)
	}
	p.got = p.got[len(want):]
}

// expectText takes text that has come.
func (p *peer) expectText(want string) {
	p.t.Helper()
	p.receive()
	if !bytes.HasPrefix(p.got, []byte(want)) {
		p.t.Fatalf("%s: got %.200q, want %q", p.name, p.got, want)
	}
	p.got = p.got[len(want):]
}

// expectNothing is sure that nothing more has come, and that the connection is
// open.
func (p *peer) expectNothing() {
	p.t.Helper()
	if p.receive(); len(p.got) > 0 || p.over {
		p.t.Fatalf("%s: got %.200q and its connection closed: %v; want nothing", p.name, p.got, p.over)
	}
}

// expectClosed is sure that the server has closed the connection, and said no
// more.
func (p *peer) expectClosed() {
	p.t.Helper()
	if p.receive(); len(p.got) > 0 || !p.over {
		p.t.Fatalf("%s: got %.200q and its connection closed: %v; want it closed", p.name, p.got, p.over)
	}
}

// answered is sure that the server answers p at once.
func (p *peer) answered() {
	p.t.Helper()
	p.send(protocol.EchoReq, "there?")
	p.expect(protocol.EchoRes, "there?")
}

// call has client call function, and w run the job, which is to be handle.
func (p *peer) call(w *peer, function, handle string) {
	p.t.Helper()
	p.send(protocol.SubmitJob, function, "", "in")
	p.expect(protocol.JobCreated, handle)
	w.grab(function, handle, "in")
	w.send(protocol.WorkComplete, handle, "out")
	p.expect(protocol.WorkComplete, handle, "out")
	w.send(protocol.PreSleep)
	w.expectNothing()
}

// grab has a worker that sleeps woken, and take a job.
func (p *peer) grab(function, handle, payload string) {
	p.t.Helper()
	p.expect(protocol.Noop)
	p.send(protocol.GrabJob)
	p.expect(protocol.JobAssign, handle, function, payload)
}

// passes lets virtual time pass, and everybody do what is due.
func (s *stage) passes(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
