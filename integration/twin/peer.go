package twin

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// patience bounds every wait for something that is bound to come.
const patience = 20 * time.Second

// A message is a packet or a text line from a server.
type message struct {
	kind   string // the packet's name; empty for a text line
	body   string // for a line: with its end
	closed bool   // the server has closed the connection, or is no more
}

// A peer is one connection of a script to one server.
type peer struct {
	conn    net.Conn
	r       *bufio.Reader
	pending []byte // what goes out with the next write
	partial bool   // what was written ends within a packet
	closed  bool
	refused bool // it never came to be
	echoes  int
}

func dial(addr string) (*peer, error) {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return &peer{closed: true}, err
	}
	return &peer{conn: conn, r: bufio.NewReader(conn)}, nil
}

// write sends b behind what is pending. What the server no longer reads is
// lost, as the next read tells.
func (p *peer) write(b []byte) {
	if p.closed {
		return
	}
	p.conn.SetDeadline(time.Now().Add(patience))
	p.conn.Write(append(p.pending, b...))
	p.pending = nil
}

// next reads a message. The error is a timeout, or a stream that is neither
// protocol.
func (p *peer) next() (message, error) {
	first, err := p.r.Peek(1)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return message{}, err
	case err != nil:
		p.closed = true
		p.conn.Close() // or the server might linger for what we have to say
		return message{closed: true}, nil
	case first[0] == 0:
		return p.nextPacket()
	}
	text, err := p.r.ReadString('\n')
	if err == io.EOF {
		err = nil // the Peek that follows meets it again
	}
	return message{body: text}, err
}

func (p *peer) nextPacket() (message, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(p.r, header[:]); err != nil {
		return message{}, fmt.Errorf("within a header: %w", err)
	}
	if magic := string(header[:4]); magic != responseMagic {
		return message{}, fmt.Errorf("a server sent the magic %q", magic)
	}
	body := make([]byte, binary.BigEndian.Uint32(header[8:]))
	if _, err := io.ReadFull(p.r, body); err != nil {
		return message{}, fmt.Errorf("within a packet: %w", err)
	}
	return message{kind: packetName(binary.BigEndian.Uint32(header[4:8])), body: string(body)}, nil
}

// until reads messages up to the one that last accepts, or to the end of the
// connection.
func (p *peer) until(limit time.Duration, last func(message) bool) ([]message, error) {
	p.conn.SetDeadline(time.Now().Add(limit))
	var got []message
	for !p.closed {
		m, err := p.next()
		if err != nil {
			return got, err
		}
		got = append(got, m)
		if last(m) {
			break
		}
	}
	return got, nil
}

// settle returns all that the server has sent, once it has answered an
// ECHO_REQ behind everything else.
func (p *peer) settle() ([]message, error) {
	if p.closed || p.partial {
		return nil, nil
	}
	p.echoes++
	mark := fmt.Sprintf("twin-barrier-%d", p.echoes)
	p.write(encode(requestMagic, 16, []string{mark}))
	isMark := func(m message) bool { return m.kind == "ECHO_RES" && m.body == mark }
	got, err := p.until(patience, isMark)
	if n := len(got); n > 0 && isMark(got[n-1]) {
		got = got[:n-1]
	}
	return got, err
}

// finish closes the sending direction and returns all that comes until the
// server closes the other.
func (p *peer) finish() ([]message, error) {
	if p.closed {
		return nil, nil
	}
	p.write(nil)
	p.partial = false
	p.conn.(*net.TCPConn).CloseWrite() // fails where the server was first, and then reading tells
	return p.until(patience, func(message) bool { return false })
}

// close sends what is pending and closes the connection at once.
func (p *peer) close() {
	p.write(nil)
	if p.conn != nil {
		p.conn.Close()
	}
	p.closed = true
}

// connections asks the server how many connections it has.
func (p *peer) connections() (int, error) {
	p.write([]byte("workers\n"))
	got, err := p.until(patience, func(m message) bool { return m.body == ".\n" })
	n := 0
	for _, m := range got {
		if workersLine.MatchString(m.body) {
			n++
		}
	}
	return n, err
}
