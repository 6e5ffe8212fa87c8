package durability

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"gearbolt/protocol"
)

// patience bounds every wait for an answer.
const patience = 30 * time.Second

// A line is a connection to the server.
type line struct {
	conn net.Conn
	r    *bufio.Reader
	w    *bufio.Writer
}

func dial(addr string) (*line, error) {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil, err
	}
	return &line{conn: conn, r: bufio.NewReaderSize(conn, 32<<10), w: bufio.NewWriterSize(conn, 32<<10)}, nil
}

func (l *line) close() { l.conn.Close() }

// send puts a request into the buffer that flush writes. Its error comes with
// the next flush.
func (l *line) send(kind protocol.Type, args ...string) {
	size := max(len(args)-1, 0)
	for _, a := range args {
		size += len(a)
	}
	l.w.Write(protocol.AppendHeader(l.w.AvailableBuffer(), protocol.Req, kind, size))
	l.w.WriteString(strings.Join(args, "\x00"))
}

// A reply is a packet from the server.
type reply struct {
	kind protocol.Type
	args []string // the last is the data, where there is some
}

// receive flushes, and reads the next packet, however long it takes to come.
func (l *line) receive() (reply, error) {
	if err := l.w.Flush(); err != nil {
		return reply{}, err
	}
	return l.read()
}

// read reads the next packet.
func (l *line) read() (reply, error) {
	var header [protocol.HeaderSize]byte
	if _, err := io.ReadFull(l.r, header[:]); err != nil {
		return reply{}, err
	}
	body := make([]byte, binary.BigEndian.Uint32(header[8:]))
	if _, err := io.ReadFull(l.r, body); err != nil {
		return reply{}, err
	}
	r := reply{kind: protocol.Type(binary.BigEndian.Uint32(header[4:]))}
	var a protocol.Args
	if err := protocol.Split(r.kind, body, &a); err != nil {
		return r, err
	}
	for _, arg := range a.Arg[:a.N] {
		r.args = append(r.args, string(arg))
	}
	if a.Data != nil {
		r.args = append(r.args, string(a.Data))
	}
	return r, nil
}

// ask sends a request whose answer is of the given kind.
func (l *line) ask(answer, kind protocol.Type, args ...string) ([]string, error) {
	l.conn.SetDeadline(time.Now().Add(patience))
	defer l.conn.SetDeadline(time.Time{})
	l.send(kind, args...)
	r, err := l.receive()
	if err == nil && r.kind != answer {
		err = fmt.Errorf("%s was answered with %s %q", kind, r.kind, r.args)
	}
	return r.args, err
}

// submit has a background job stored, and returns its handle.
func (l *line) submit(kind protocol.Type, args ...string) (string, error) {
	a, err := l.ask(protocol.JobCreated, kind, args...)
	if err != nil {
		return "", err
	}
	return a[0], nil
}

// admin sends a command and returns the lines of its answer: one, or all
// before a dot.
func (l *line) admin(command string, list bool) (lines []string, err error) {
	l.conn.SetDeadline(time.Now().Add(patience))
	defer l.conn.SetDeadline(time.Time{})
	fmt.Fprintf(l.w, "%s\n", command)
	if err := l.w.Flush(); err != nil {
		return nil, err
	}
	for {
		s, err := l.r.ReadString('\n')
		if err != nil {
			return lines, err
		}
		s = strings.TrimRight(s, "\r\n")
		if s == "." && list {
			return lines, nil
		}
		if lines = append(lines, s); !list {
			return lines, nil
		}
	}
}

// A state is what GET_STATUS says.
type state struct{ known, running bool }

// states asks for the states of many jobs at once.
func (l *line) states(handles []string) ([]state, error) {
	const window = 500 // requests that are sent before their answers are read
	all := make([]state, 0, len(handles))
	l.conn.SetDeadline(time.Now().Add(patience))
	defer l.conn.SetDeadline(time.Time{})
	for len(handles) > 0 {
		n := min(window, len(handles))
		for _, h := range handles[:n] {
			l.send(protocol.GetStatus, h)
		}
		for _, h := range handles[:n] {
			r, err := l.receive()
			if err != nil {
				return nil, err
			}
			if r.kind != protocol.StatusRes || len(r.args) != 5 || r.args[0] != h {
				return nil, errors.New("an answer that is none to GET_STATUS")
			}
			all = append(all, state{r.args[1] == "1", r.args[2] == "1"})
		}
		handles = handles[n:]
	}
	return all, nil
}
