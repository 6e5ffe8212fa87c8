package judge

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"gearbolt/protocol"
)

// A peer is a connection that writes down what becomes of it.
type peer struct {
	*Line
	Number  int // in the book
	book    *Book
	grabbed time.Duration // when the grab was sent that is not answered; 0: none
	closed  bool
}

func (b *Book) peer(l *Line) *peer { return &peer{Line: l, Number: b.Conn(), book: b} }

// Close ends the connection.
func (p *peer) Close() {
	p.Lost()
	p.Line.Close()
}

// Lost notes that the connection has ended, or is about to.
func (p *peer) Lost() {
	if !p.closed {
		p.closed = true
		p.book.Record(Event{Kind: Closed, Conn: p.Number, Called: p.grabbed})
	}
}

// receive is Receive; after an error nothing more comes.
func (p *peer) receive() (Packet, error) {
	packet, err := p.Receive()
	if err != nil {
		p.Lost()
	}
	return packet, err
}

// A Client submits jobs, asks for them and cancels them, and writes down what
// it is told. It is used by one goroutine at a time.
type Client struct {
	*peer
	waiting []submitted // for JOB_CREATED, which comes in order

	// Other is called with packets that answer nothing, as WORK_COMPLETE does
	// to who has submitted a foreground job. Without it they are errors.
	Other func(Packet)
}

type submitted struct {
	job *Job
	at  time.Duration
}

// Client connects a client to a TCP address.
func (b *Book) Client(addr string) (*Client, error) {
	l, err := Dial(addr)
	if err != nil {
		return nil, err
	}
	return b.ClientOn(l), nil
}

// ClientOn makes a client of a connection.
func (b *Book) ClientOn(l *Line) *Client { return &Client{peer: b.peer(l)} }

// Submit submits a job. It is written with the next Flush, or by Answer.
func (c *Client) Submit(j *Job) error {
	s := submitted{j, c.book.Now()}
	c.book.Record(Event{At: s.at, Kind: Submitting, Token: j.Token, Conn: c.Number, Job: j})
	c.waiting = append(c.waiting, s)
	c.Send(j.Type, j.args()...)
	return nil
}

// Waiting is how many submissions have no answer.
func (c *Client) Waiting() int { return len(c.waiting) }

// ErrRefused is an ERROR in place of JOB_CREATED.
var ErrRefused = errors.New("refused")

// Answer returns the handle of the submission whose turn it is to be answered,
// or [ErrRefused] with the reason. After any other error the connection is of
// no use.
func (c *Client) Answer() (handle string, err error) {
	for {
		p, err := c.receive()
		switch {
		case err != nil:
			return "", err
		case p.Type == protocol.JobCreated && len(c.waiting) > 0:
			c.answered(Event{Kind: Created, Handle: p.Args[0]})
			return p.Args[0], nil
		case p.Type == protocol.Error && len(c.waiting) > 0:
			c.answered(Event{Kind: Refused, Note: strings.Join(p.Args, " ")})
			return "", fmt.Errorf("%w: %s", ErrRefused, p.Args)
		case c.Other == nil:
			return "", fmt.Errorf("%s was not asked for", p)
		}
		c.Other(p)
	}
}

func (c *Client) answered(e Event) {
	e.Conn, e.Token, e.Called = c.Number, c.waiting[0].job.Token, c.waiting[0].at
	c.waiting = c.waiting[1:]
	c.book.Record(e)
}

// A State is what GET_STATUS says.
type State struct{ Known, Running bool }

// States asks for the states of jobs, all at once. Nothing else waits for an
// answer on the connection.
func (c *Client) States(handles ...string) ([]State, error) {
	const window = 500 // requests that are sent before their answers are read
	all := make([]State, 0, len(handles))
	for len(handles) > 0 {
		n := min(window, len(handles))
		asked := c.book.Now()
		for _, h := range handles[:n] {
			c.Send(protocol.GetStatus, h)
		}
		for _, h := range handles[:n] {
			p, err := c.receive()
			if err != nil {
				return all, err
			}
			if p.Type != protocol.StatusRes || len(p.Args) != 5 || p.Args[0] != h {
				return all, fmt.Errorf("GET_STATUS %s was answered with %s", h, p)
			}
			s := State{p.Args[1] == "1", p.Args[2] == "1"}
			c.book.Record(Event{Kind: Seen, Conn: c.Number, Handle: h, Called: asked, Known: s.Known, Busy: s.Running})
			all = append(all, s)
		}
		handles = handles[n:]
	}
	return all, nil
}

// Cancel cancels a job as an operator does, and reports whether there was one.
func (c *Client) Cancel(handle string) (bool, error) {
	asked := c.book.Now()
	c.book.Record(Event{At: asked, Kind: Cancelling, Conn: c.Number, Handle: handle})
	answer, err := c.Admin("cancel job " + handle)
	if err != nil {
		c.Lost()
		return false, err
	}
	known := strings.HasPrefix(answer, "OK")
	c.book.Record(Event{Kind: Cancelled, Conn: c.Number, Handle: handle, Called: asked, Known: known, Note: answer})
	return known, nil
}
