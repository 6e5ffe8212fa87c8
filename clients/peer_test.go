package clients

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"gearbolt/protocol"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A network is what stands behind Config.Dial: each address has a queue of
// connections for a scripted server to accept, and refuses where it is away.
type network struct {
	t     *testing.T
	dials chan *peer
	away  sync.Map // addresses
}

var errRefused = errors.New("connection refused")

func newNetwork(t *testing.T) *network {
	return &network{t: t, dials: make(chan *peer, 100)}
}

func (n *network) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	if _, away := n.away.Load(addr); away {
		return nil, errRefused
	}
	ours, theirs := net.Pipe()
	n.dials <- &peer{t: n.t, nc: theirs, addr: addr}
	return ours, nil
}

func (n *network) config(servers ...string) Config {
	return Config{Servers: servers, Dial: n.dial, Logger: slog.New(slog.DiscardHandler)}
}

// client returns a client that is closed at the end of the test.
func (n *network) client(servers ...string) *Client { return n.clientOf(n.config(servers...)) }

func (n *network) clientOf(config Config) *Client {
	n.t.Helper()
	c, err := NewClient(config)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { c.Close() })
	return c
}

// accept waits for the next connection.
func (n *network) accept() *peer {
	n.t.Helper()
	p := <-n.dials
	n.t.Cleanup(func() { p.nc.Close() })
	return p
}

// acceptClient waits for a client and answers its greeting.
func (n *network) acceptClient() *peer {
	n.t.Helper()
	p := n.accept()
	for _, want := range []protocol.Type{protocol.OptionReq, protocol.EchoReq} {
		m, err := p.readPacket() // no more than that: a test may look at bytes
		if err != nil || m.Type != want {
			n.t.Fatalf("the client says %v, %v, want %v", m.Type, err, want)
		}
		p.say(want+1, string(m.Body))
	}
	return p
}

// acceptWorker waits for a worker of functions (sorted) and keeps its grabs or
// not.
func (n *network) acceptWorker(parks bool, functions ...string) *peer {
	n.t.Helper()
	p := n.accept()
	var named []string
	for {
		m := p.read()
		switch m.Type {
		case protocol.CanDo:
			named = append(named, string(m.Body))
			continue
		case protocol.AllYours:
			if !parks {
				p.say(protocol.Error, string(protocol.InvalidCommand), protocol.TextInvalidCommand)
			}
			continue
		}
		p.check(m, protocol.EchoReq, string(hello))
		break
	}
	if slices.Sort(named); !slices.Equal(named, functions) {
		n.t.Fatalf("the worker can do %q, want %q", named, functions)
	}
	p.say(protocol.EchoRes, string(hello))
	return p
}

// A peer is the scripted server's end of a connection.
type peer struct {
	t    *testing.T
	addr string
	nc   net.Conn
	said chan protocol.Message // nil until read is first called
}

// read reads one packet.
func (p *peer) read() protocol.Message {
	p.t.Helper()
	m, ok := p.tryRead()
	if !ok {
		p.t.Fatal("the library has closed the connection")
	}
	return m
}

// tryRead reads one packet unless the connection is closed. From then on all
// that the library says is taken at once.
func (p *peer) tryRead() (protocol.Message, bool) {
	p.listen()
	m, ok := <-p.said
	return m, ok
}

func (p *peer) listen() {
	if p.said != nil {
		return
	}
	p.said = make(chan protocol.Message, 1000)
	go func() {
		defer close(p.said)
		for {
			m, err := p.readPacket()
			if err != nil {
				return
			}
			p.said <- m
		}
	}()
}

func (p *peer) readPacket() (m protocol.Message, err error) {
	var head [protocol.HeaderSize]byte
	if _, err := io.ReadFull(p.nc, head[:]); err != nil {
		return m, err
	}
	m.Magic = protocol.Magic(binary.BigEndian.Uint32(head[:]))
	m.Type = protocol.Type(binary.BigEndian.Uint32(head[4:]))
	m.Body = make([]byte, binary.BigEndian.Uint32(head[8:]))
	_, err = io.ReadFull(p.nc, m.Body)
	return m, err
}

// want reads one packet and fails unless it is the one given.
func (p *peer) want(t protocol.Type, args ...string) {
	p.t.Helper()
	p.check(p.read(), t, args...)
}

func (p *peer) check(m protocol.Message, t protocol.Type, args ...string) {
	p.t.Helper()
	want := protocol.Append(nil, protocol.Req, t, toBytes(args)...)[protocol.HeaderSize:]
	if m.Magic != protocol.Req || m.Type != t || !bytes.Equal(m.Body, want) {
		p.t.Fatalf("the library says %v %q, want %v %q", m.Type, m.Body, t, want)
	}
}

// say sends one packet.
func (p *peer) say(t protocol.Type, args ...string) {
	p.t.Helper()
	p.write(protocol.Append(nil, protocol.Res, t, toBytes(args)...))
}

func (p *peer) write(b []byte) {
	p.t.Helper()
	if _, err := p.nc.Write(b); err != nil {
		p.t.Fatalf("writing to the library: %v", err)
	}
}

// silent fails if the library says anything before all of it waits.
func (p *peer) silent() {
	p.t.Helper()
	p.listen()
	synctest.Wait()
	select {
	case m := <-p.said:
		p.t.Fatalf("the library says %v %q, want silence", m.Type, m.Body)
	default:
	}
}

func toBytes(args []string) (all [][]byte) {
	for _, a := range args {
		all = append(all, []byte(a))
	}
	return all
}

// A result is what a call returned.
type result struct {
	data string
	err  error
}

// goCall calls in a goroutine.
func goCall(ctx context.Context, c *Client, function, payload string, opts ...CallOption) <-chan result {
	done := make(chan result, 1)
	go func() {
		data, err := c.Call(ctx, function, []byte(payload), opts...)
		done <- result{string(data), err}
	}()
	return done
}

func (r result) want(t *testing.T, data string) {
	t.Helper()
	if r.err != nil || r.data != data {
		t.Fatalf("the call returned %q, %v, want %q", r.data, r.err, data)
	}
}

// fails checks what the call failed with.
func (r result) fails(t *testing.T, target error, sent bool) {
	t.Helper()
	var e *Error
	if !errors.Is(r.err, target) || !errors.As(r.err, &e) || e.Sent != sent {
		t.Fatalf("the call returned %q, %v (%+v), want error %v, sent %v", r.data, r.err, e, target, sent)
	}
}
