package server

import (
	"crypto/tls"
	"net"
	"syscall"
	"testing"
	"time"

	"gearbolt/protocol"
)

// With no file descriptor left, accepting rests instead of trying in a loop,
// and those who are connected notice nothing.
func TestAcceptErrorsRest(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		c := s.dial()
		s.passes(0)
		for range 3 {
			s.listener.fails <- &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
		}
		began := time.Now()
		c.answered()
		late := s.dial() // waits until it is accepted
		if rested := time.Since(began); rested != 3*acceptPause {
			t.Errorf("accepted again after %v, want 3 times %v", rested, acceptPause)
		}
		late.answered()
		if n := s.logged("accepting rests"); n != 3 {
			t.Errorf("%d lines in the log, want 3", n)
		}
	})
}

func TestCloseEndsTheRest(t *testing.T) {
	story(t, Options{}, func(s *stage) {
		s.listener.fails <- syscall.EMFILE
		s.passes(acceptPause / 2)
	})
}

// secured is a listener that speaks TLS.
func (s *stage) secured(ca *authority) *memListener {
	s.t.Helper()
	pair, err := tls.X509KeyPair(ca.issue(s.t, "server"))
	if err != nil {
		s.t.Fatal(err)
	}
	l := newMemListener(tcpAddr("10.0.0.1", 4731))
	go s.server.Serve(l, &tls.Config{Certificates: []tls.Certificate{pair}})
	return l
}

func TestCallThroughTLS(t *testing.T) {
	ca := newAuthority(t, "ca")
	story(t, Options{}, func(s *stage) {
		sock := s.secured(ca).dial(tcpAddr("10.0.0.2", 1))
		c := tls.Client(sock, &tls.Config{InsecureSkipVerify: true})
		request := protocol.Append(nil, protocol.Req, protocol.EchoReq, []byte("secret"))
		if _, err := c.Write(request); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 100)
		n, err := c.Read(b)
		if want := string(protocol.Append(nil, protocol.Res, protocol.EchoRes, []byte("secret"))); string(b[:n]) != want || err != nil {
			t.Errorf("got %q, %v", b[:n], err)
		}
		c.Write([]byte("\x00REX"))
		if n, err := c.Read(b); err == nil {
			t.Errorf("got %q instead of the end", b[:n])
		}
		c.Close()
	})
}

func TestHandshakeThatStallsHoldsUpNobody(t *testing.T) {
	ca := newAuthority(t, "ca")
	story(t, Options{HandshakeTimeout: 5 * time.Second}, func(s *stage) {
		l := s.secured(ca)
		silent := s.peer(l, tcpAddr("10.0.0.2", 1))
		half := s.peer(l, tcpAddr("10.0.0.2", 2))
		half.write("\x16\x03\x01\x02\x00")
		s.passes(5*time.Second - time.Nanosecond)
		silent.expectNothing()
		half.expectNothing()
		s.dial().answered()
		s.passes(time.Nanosecond)
		silent.expectClosed()
		half.receive()
		if !half.over || s.logged("TLS handshake failed") != 2 {
			t.Error("a handshake goes on, or the log does not say that it failed")
		}
	})
}

// A client that speaks no TLS is told in TLS, and ends.
func TestPlainBytesOnATLSListener(t *testing.T) {
	ca := newAuthority(t, "ca")
	story(t, Options{}, func(s *stage) {
		c := s.peer(s.secured(ca), tcpAddr("10.0.0.2", 1))
		c.write("version\n")
		c.receive()
		if !c.over || s.logged("TLS handshake failed") != 1 {
			t.Error("the connection goes on, or the log does not say why it ended")
		}
	})
}
