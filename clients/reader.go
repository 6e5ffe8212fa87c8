package clients

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"gearbolt/protocol"
)

// readBuffer is how many bytes are read at once. Only a packet that is larger
// gets a larger buffer, which grows with what arrives.
const readBuffer = 32 << 10

// errNotGearman ends a connection on which something else is spoken.
var errNotGearman = errors.New("what answers is not a Gearman server")

// A reader cuts the packets off what a server says. One goroutine uses it.
type reader struct {
	nc     net.Conn
	limits protocol.Limits

	// quiet is called when nothing has arrived for wait; it returns how long
	// to wait on, or why to give up. A wait of 0 is for ever.
	wait  time.Duration
	quiet func() (time.Duration, error)
	heard func() // bytes have arrived

	buf        []byte
	start, end int  // of what has arrived and was not cut off
	whole      bool // the packet that next returned last has buf to itself
}

// next returns the next packet. Its body lies in the reader's buffer until the
// next call; who wants it longer takes keep's word for it.
func (r *reader) next() (protocol.Message, error) {
	if r.start == r.end && len(r.buf) > readBuffer {
		r.buf, r.start, r.end = nil, 0, 0
	}
	for {
		need := 1
		if r.end > r.start {
			m, n, err := r.limits.Next(r.buf[r.start:r.end])
			switch {
			case r.buf[r.start] != 0, err == nil && m.Magic != protocol.Res:
				return m, errNotGearman
			case err == nil:
				r.whole = r.start == 0 && n == len(r.buf)
				r.start += n
				return m, nil
			case err != protocol.ErrIncomplete:
				return m, fmt.Errorf("the server's bytes cannot be read: %w", err)
			}
			need = n
		}
		r.makeRoom(need)
		if err := r.fill(); err != nil {
			return protocol.Message{}, err
		}
	}
}

// keep returns b, a part of the last packet, as bytes that stay.
func (r *reader) keep(b []byte) []byte {
	if r.whole && len(r.buf) > readBuffer {
		return b
	}
	if len(b) == 0 {
		return nil
	}
	return bytes.Clone(b)
}

// makeRoom makes sure that more can be read of a packet of need bytes.
func (r *reader) makeRoom(need int) {
	switch {
	case r.buf == nil:
		r.buf = make([]byte, readBuffer)
	case r.start == r.end:
		r.start, r.end = 0, 0
	case r.start > 0 && r.start+need > len(r.buf):
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
	case r.end == len(r.buf):
		larger := make([]byte, min(need, 2*len(r.buf)))
		copy(larger, r.buf)
		r.buf = larger
	}
}

// fill reads once.
func (r *reader) fill() error {
	for wait := r.wait; ; {
		var deadline time.Time
		if wait > 0 {
			deadline = time.Now().Add(wait)
		}
		if err := r.nc.SetReadDeadline(deadline); err != nil {
			return err
		}
		n, err := r.nc.Read(r.buf[r.end:])
		if n > 0 {
			r.end += n
			r.heard()
			return nil
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		if wait, err = r.quiet(); err != nil {
			return err
		}
	}
}
