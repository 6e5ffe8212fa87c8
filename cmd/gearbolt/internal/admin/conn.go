// Package admin speaks the text commands of a job server, which operators use:
// what is queued and who works, limits, cancelling, shutting down.
package admin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"gearbolt/protocol"
)

// A Conn is a connection to a server. Its methods are not for several
// goroutines at once.
type Conn struct {
	ctx context.Context
	nc  net.Conn
	in  *bufio.Reader
}

// New uses a connection until the end of ctx. Close closes it.
func New(ctx context.Context, nc net.Conn) *Conn {
	if deadline, ok := ctx.Deadline(); ok {
		nc.SetDeadline(deadline)
	}
	context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })
	return &Conn{ctx: ctx, nc: nc, in: bufio.NewReader(nc)}
}

// Close closes the connection.
func (c *Conn) Close() error { return c.nc.Close() }

// A Refusal is a server's word that it did not do what it was asked to.
type Refusal struct {
	Code string // for programs, such as UNKNOWN_JOB; "" where the server gave none
	Text string // for people
}

func (r *Refusal) Error() string {
	if r.Text == "" {
		return "the server says " + r.Code
	}
	return "the server says: " + r.Text
}

// Unknown reports whether the server does not know the command.
func (r *Refusal) Unknown() bool {
	return r.Code == "UNKNOWN_COMMAND" || r.Code == "UNKNOWN_SHOW_ARGUMENTS"
}

// IsUnknown reports whether err is a server's word that it does not know a
// command.
func IsUnknown(err error) bool {
	var r *Refusal
	return errors.As(err, &r) && r.Unknown()
}

// refusal reads a line that begins with ERR: a code in capitals and a text
// whose blanks are plus signs, or a text alone.
func refusal(line string) *Refusal {
	rest := strings.TrimPrefix(line, "ERR ")
	code, text, _ := strings.Cut(rest, " ")
	if code != strings.ToUpper(code) {
		return &Refusal{Text: rest}
	}
	return &Refusal{Code: code, Text: strings.ReplaceAll(text, "+", " ")}
}

// say sends command lines in one write: a Gearbolt answers all of them from
// the same moment.
func (c *Conn) say(lines ...string) error {
	_, err := c.nc.Write([]byte(strings.Join(lines, "\r\n") + "\r\n"))
	return err
}

// line reads one line. Its end tells a refusal from a line of a list that
// happens to begin with ERR.
func (c *Conn) line() (text string, refused *Refusal, err error) {
	text, err = c.in.ReadString('\n')
	if err != nil {
		return "", nil, c.lost(text, err)
	}
	if strings.HasPrefix(text, "ERR ") && strings.HasSuffix(text, "\r\n") {
		return "", refusal(strings.TrimSuffix(text, "\r\n")), nil
	}
	return strings.TrimRight(text, "\r\n"), nil, nil
}

// lost says why there is no answer, but for half a line of one. A server that
// turns a connection away says ERROR, whatever is spoken.
func (c *Conn) lost(half string, err error) error {
	m, _, broken := protocol.Limits{Packet: maxFarewell}.Next([]byte(half))
	switch {
	case c.ctx.Err() != nil:
		return c.ctx.Err()
	case broken == nil && m.Type == protocol.Error:
		code, text, _ := strings.Cut(string(m.Body), "\x00")
		return &Refusal{Code: code, Text: text}
	}
	return fmt.Errorf("the connection ended before the answer: %w", err)
}

// maxFarewell bounds the packet in which a server says why it ends.
const maxFarewell = 64 << 10

// answer reads an answer of one line, and returns what follows OK.
func (c *Conn) answer() (string, error) {
	text, refused, err := c.line()
	switch {
	case err != nil:
		return "", err
	case refused != nil:
		return "", refused
	case text != "OK" && !strings.HasPrefix(text, "OK "):
		return "", fmt.Errorf("not the answer of a Gearman server: %.60q", text)
	}
	return strings.TrimPrefix(strings.TrimPrefix(text, "OK"), " "), nil
}

// list reads an answer that a dot ends.
func (c *Conn) list() (lines []string, err error) {
	for {
		text, refused, err := c.line()
		switch {
		case err != nil:
			return nil, err
		case refused != nil:
			return nil, refused
		case text == ".":
			return lines, nil
		}
		lines = append(lines, text)
	}
}

// ask sends a command of words, none of which can hold what ends a word.
func (c *Conn) ask(words ...string) (string, error) {
	for _, w := range words {
		if w == "" || strings.ContainsAny(w, " \r\n\x00") {
			return "", fmt.Errorf("%q cannot be said in a text command: no blanks and line ends, and not empty", w)
		}
	}
	if err := c.say(strings.Join(words, " ")); err != nil {
		return "", err
	}
	return c.answer()
}
