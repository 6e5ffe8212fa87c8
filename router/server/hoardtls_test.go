package server

import (
	"bytes"
	"crypto/tls"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gearbolt/protocol"
)

// dialTLS connects to a listener of its own.
func (s *stage) dialTLS(pair tls.Certificate) *tls.Conn {
	s.t.Helper()
	l := newMemListener(tcpAddr("10.0.0.1", 4731))
	go s.server.Serve(l, &tls.Config{Certificates: []tls.Certificate{pair}})
	synctest.Wait()
	c := tls.Client(l.dial(tcpAddr("10.0.0.2", 999)), &tls.Config{InsecureSkipVerify: true})
	if err := c.Handshake(); err != nil {
		s.t.Fatal(err)
	}
	synctest.Wait()
	return c
}

func newPair(t *testing.T) tls.Certificate {
	t.Helper()
	pair, err := tls.X509KeyPair(newAuthority(t, "authority").issue(t, "server"))
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// says sends bytes, and is sure what comes next; "" is nothing that is looked at.
func says(t *testing.T, c *tls.Conn, send string, want []byte) {
	t.Helper()
	if _, err := io.WriteString(c, send); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("got %.200q and %v, want %.200q", got, err, want)
	}
}

// Who sends too slowly over TLS while others wait is told so, and cut off.
func TestSlowSenderIsCutOffOverTLS(t *testing.T) {
	pair := newPair(t)
	story(t, Options{ReadMemory: 16 * mib}, func(s *stage) {
		slow, packet := s.dialTLS(pair), large(8*mib)
		says(t, slow, packet[:5*mib], nil)
		packet = packet[5*mib:]
		s.passes(time.Second)
		waits := s.begins(large(5*mib), 5*mib)
		for range (roomGrace + 2*lookEvery) / time.Second {
			waits.receive()
			if len(waits.got) == 0 {
				says(t, slow, packet[:leastRate], nil)
				packet = packet[leastRate:]
			}
			s.passes(time.Second)
		}
		waits.expect(protocol.EchoRes, waits.packet[protocol.HeaderSize:])
		says(t, slow, "", protocol.AppendError(nil, protocol.QueueError, tooSlow))
		s.passes(2 * lingerTime)
		if n := s.connections(); n != 1 {
			t.Errorf("%d connections are left, want that of the one who waited", n)
		}
	})
}

// Who was to be cut off over TLS, and has sent the rest by then, goes on.
func TestEvictedTooLateOverTLS(t *testing.T) {
	pair := newPair(t)
	story(t, Options{}, func(s *stage) {
		c := s.dialTLS(pair)
		text := strings.Repeat("there? ", 10)
		echo := string(protocol.Append(nil, protocol.Req, protocol.EchoReq, []byte(text)))
		reply := protocol.Append(nil, protocol.Res, protocol.EchoRes, []byte(text))
		says(t, c, echo, reply)
		evicted := s.server.allConns()[0]
		evicted.half.mu.Lock()
		evicted.half.evicted = 7
		evicted.nc.SetReadDeadline(time.Unix(1, 0))
		evicted.half.mu.Unlock()
		s.passes(time.Second)
		says(t, c, echo, reply)
	})
}
