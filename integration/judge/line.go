package judge

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"gearbolt/protocol"
)

// Patience bounds every wait for an answer that is due.
const Patience = 30 * time.Second

// A Line is a connection to a server, on which packets are said as they are. It
// is used by one goroutine at a time.
type Line struct {
	Conn net.Conn
	r    *bufio.Reader
	w    *bufio.Writer
}

// Dial connects to a TCP address.
func Dial(addr string) (*Line, error) {
	conn, err := net.DialTimeout("tcp", addr, Patience)
	if err != nil {
		return nil, err
	}
	return NewLine(conn), nil
}

// NewLine talks over conn, which is the Line's to close.
func NewLine(conn net.Conn) *Line {
	return &Line{Conn: conn, r: bufio.NewReaderSize(conn, 16<<10), w: bufio.NewWriterSize(conn, 16<<10)}
}

// Close ends the connection, without what was not flushed.
func (l *Line) Close() { l.Conn.Close() }

// Send puts a request into the buffer that Flush writes. Its error comes with
// the next Flush.
func (l *Line) Send(kind protocol.Type, args ...string) {
	size := max(len(args)-1, 0)
	for _, a := range args {
		size += len(a)
	}
	l.w.Write(protocol.AppendHeader(l.w.AvailableBuffer(), protocol.Req, kind, size))
	l.w.WriteString(strings.Join(args, "\x00"))
}

// Flush writes what was sent.
func (l *Line) Flush() error { return l.w.Flush() }

// A Packet comes from the server.
type Packet struct {
	Type protocol.Type
	Args []string // the last is the data, where there is some
}

func (p Packet) String() string { return fmt.Sprintf("%s %.100q", p.Type, p.Args) }

// Receive flushes, and reads the next packet, however long it takes to come.
func (l *Line) Receive() (Packet, error) {
	if err := l.w.Flush(); err != nil {
		return Packet{}, err
	}
	return l.Read()
}

// Read reads the next packet, however long it takes to come.
func (l *Line) Read() (Packet, error) {
	var header [protocol.HeaderSize]byte
	if _, err := io.ReadFull(l.r, header[:]); err != nil {
		return Packet{}, err
	}
	body := make([]byte, binary.BigEndian.Uint32(header[8:]))
	if _, err := io.ReadFull(l.r, body); err != nil {
		return Packet{}, err
	}
	p := Packet{Type: protocol.Type(binary.BigEndian.Uint32(header[4:]))}
	var a protocol.Args
	if err := protocol.Split(p.Type, body, &a); err != nil {
		return p, err
	}
	for _, arg := range a.Arg[:a.N] {
		p.Args = append(p.Args, string(arg))
	}
	if a.Data != nil {
		p.Args = append(p.Args, string(a.Data))
	}
	return p, nil
}

// Ask sends a request and returns the arguments of its answer, which is to be
// of the given type.
func (l *Line) Ask(answer, kind protocol.Type, args ...string) ([]string, error) {
	l.Conn.SetDeadline(time.Now().Add(Patience))
	defer l.Conn.SetDeadline(time.Time{})
	l.Send(kind, args...)
	p, err := l.Receive()
	if err == nil && p.Type != answer {
		err = fmt.Errorf("%s was answered with %s", kind, p)
	}
	return p.Args, err
}

// Admin sends a text command and returns its answer of one line.
func (l *Line) Admin(command string) (string, error) {
	lines, err := l.admin(command, func([]string) bool { return true })
	if err != nil {
		return "", err
	}
	return lines[0], nil
}

// List sends a text command and returns the lines of its answer before the one
// with a dot.
func (l *Line) List(command string) ([]string, error) {
	lines, err := l.admin(command, func(s []string) bool { return s[len(s)-1] == "." })
	if err != nil {
		return nil, err
	}
	return lines[:len(lines)-1], nil
}

func (l *Line) admin(command string, whole func([]string) bool) (lines []string, err error) {
	l.Conn.SetDeadline(time.Now().Add(Patience))
	defer l.Conn.SetDeadline(time.Time{})
	fmt.Fprintf(l.w, "%s\n", command)
	if err := l.w.Flush(); err != nil {
		return nil, err
	}
	for {
		s, err := l.r.ReadString('\n')
		if err != nil {
			return lines, err
		}
		if lines = append(lines, strings.TrimRight(s, "\r\n")); whole(lines) {
			return lines, nil
		}
	}
}
