package memory

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"gearbolt/integration/harness"
	"gearbolt/protocol"
)

// patience is how long any answer may take.
const patience = 30 * time.Second

// A peer is a connection.
type peer struct {
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, s *harness.Server) *peer {
	t.Helper()
	c, err := net.DialTimeout("tcp", s.Addr, patience)
	if err != nil {
		t.Fatalf("%v\n%s", err, s.Output())
	}
	t.Cleanup(func() { c.Close() })
	return &peer{c, bufio.NewReaderSize(c, 64<<10)}
}

func packet(kind protocol.Type, args ...string) []byte {
	b := make([][]byte, len(args))
	for i, a := range args {
		b[i] = []byte(a)
	}
	return protocol.Append(nil, protocol.Req, kind, b...)
}

// read reads a packet, and no more than the beginning of a long body.
func (p *peer) read() (protocol.Type, string, error) {
	p.SetReadDeadline(time.Now().Add(patience))
	var head [protocol.HeaderSize]byte
	if _, err := io.ReadFull(p.in, head[:]); err != nil {
		return 0, "", err
	}
	kind, size := protocol.Type(binary.BigEndian.Uint32(head[4:])), int(binary.BigEndian.Uint32(head[8:]))
	body := make([]byte, min(size, 200))
	if _, err := io.ReadFull(p.in, body); err != nil {
		return 0, "", err
	}
	_, err := p.in.Discard(size - len(body))
	return kind, string(body), err
}

// say sends a request and returns its answer.
func (p *peer) say(t *testing.T, kind protocol.Type, args ...string) (protocol.Type, string) {
	t.Helper()
	if _, err := p.Write(packet(kind, args...)); err != nil {
		t.Fatal(err)
	}
	answer, body, err := p.read()
	if err != nil {
		t.Fatal(err)
	}
	return answer, body
}

// silentFor reports whether nothing is said to p for that long.
func (p *peer) silentFor(d time.Duration) bool {
	p.SetReadDeadline(time.Now().Add(d))
	_, err := p.in.Peek(1)
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// answers is what a peer was told, by kind; of an ERROR, by its text.
type answers map[string]int

// hear reads n answers.
func (p *peer) hear(n int) (answers, error) {
	heard := make(answers)
	for range n {
		kind, body, err := p.read()
		if err != nil {
			return heard, err
		}
		if kind == protocol.Error {
			heard[strings.ReplaceAll(body, "\x00", " ")]++
		} else {
			heard[kind.String()]++
		}
	}
	return heard, nil
}

// window is how many answers, or requests' bytes, may be outstanding: a peer
// that asks and does not read is another test.
const (
	windowAnswers = 4096
	windowBytes   = 32 * mib
)

// offer sends request n times, many at a time, and reads the answers.
func (p *peer) offer(t *testing.T, request []byte, n int) answers {
	t.Helper()
	all := make(answers)
	many := bytes.Repeat(request, min(n, windowAnswers, max(windowBytes/len(request), 1)))
	for left := n; left > 0; {
		k := min(left, len(many)/len(request))
		go p.Write(many[:k*len(request)]) // the reader says what is wrong
		heard, err := p.hear(k)
		for text, times := range heard {
			all[text] += times
		}
		if err != nil {
			t.Fatalf("after %v: %v", all, err)
		}
		left -= k
	}
	return all
}
