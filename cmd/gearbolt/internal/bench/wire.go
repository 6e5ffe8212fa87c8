package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"gearbolt/protocol"
)

// A wire is a connection on which packets are said and heard with as little
// effort as possible, so that the server is what is measured: a burst of answers
// is read with one call, and what there is to say to them written with one.
type wire struct {
	nc  net.Conn
	in  []byte
	end int // of what was read into in
	out []byte
}

// dial opens a connection that the end of ctx closes.
func (s *stand) dial(ctx context.Context) (*wire, error) {
	nc, err := s.set.Dial(ctx, s.server)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { nc.Close() })
	return &wire{nc: nc, in: make([]byte, 64<<10)}, nil
}

// say appends a packet to what the next flush writes.
func (w *wire) say(t protocol.Type, args ...[]byte) {
	w.out = protocol.Append(w.out, protocol.Req, t, args...)
}

func (w *wire) flush() error {
	if len(w.out) == 0 {
		return nil
	}
	_, err := w.nc.Write(w.out)
	w.out = w.out[:0]
	return err
}

// hello is what is asked to be sent back.
var hello = []byte("ready")

// echo returns when the server has heard all that was said so far.
func (w *wire) echo() error {
	w.say(protocol.EchoReq, hello)
	return w.serve(func(m protocol.Message) error {
		if m.Type != protocol.EchoRes {
			return unexpected(m)
		}
		return errDone
	})
}

// errDone ends serve.
var errDone = errors.New("done")

// serve hands what arrives to hear until that returns errDone. An ERROR packet
// is an error.
func (w *wire) serve(hear func(protocol.Message) error) error {
	for {
		if err := w.flush(); err != nil {
			return err
		}
		if w.end == len(w.in) {
			w.in = append(w.in, make([]byte, len(w.in))...)
		}
		n, err := w.nc.Read(w.in[w.end:])
		if err != nil {
			return err
		}
		w.end += n
		if err := w.hearAll(hear); err == errDone {
			return w.flush()
		} else if err != nil {
			return err
		}
	}
}

// hearAll hands over what has arrived whole.
func (w *wire) hearAll(hear func(protocol.Message) error) error {
	limits := protocol.Limits{Packet: protocol.DefaultPacketLimit}
	rest := w.in[:w.end]
	defer func() { w.end = copy(w.in, rest) }()
	for {
		m, n, err := limits.Next(rest)
		if err == protocol.ErrIncomplete {
			return nil
		}
		if err != nil {
			return err
		}
		rest = rest[n:]
		if err := hear(m); err != nil {
			return err
		}
	}
}

// refused is the error that an ERROR packet stands for.
func refused(m protocol.Message) error {
	return fmt.Errorf("the server says %s", strings.ReplaceAll(string(m.Body), "\x00", ": "))
}

// unexpected is the error that a packet is which has no place there.
func unexpected(m protocol.Message) error {
	if m.Type == protocol.Error {
		return refused(m)
	}
	return fmt.Errorf("the server said %v unasked", m.Type)
}
