package protocol

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Limits that gearmand and its clients have, in bytes.
const (
	MaxLine     = 8192 // a text line, its line feed included
	MaxArg      = 8192 // an argument, the NUL behind it included where it has one
	MaxUnique   = 64   // a unique id
	MaxReducer  = 64   // the reducer of SUBMIT_REDUCE_JOB*
	MaxHandle   = 63   // a job handle
	MaxClientID = 127  // what is kept of SET_CLIENT_ID
	MaxOption   = 63   // the name in OPTION_REQ
	MaxWords    = 5    // of a text line; with more the connection is closed
)

// DefaultPacketLimit is the largest packet body that is taken unless another
// limit is set.
const DefaultPacketLimit = 64 << 20

// Limits are the limits that an operator may set.
type Limits struct {
	Packet int // the largest packet body, in bytes
}

// Why a stream of bytes cannot be read on. The connection is to be closed; a
// [*RefusedError] is to be said first, the others are closed without a word,
// as gearmand does.
var (
	ErrMagic       = errors.New("neither a packet nor a text line")
	ErrType        = errors.New("a packet type that does not exist")
	ErrLineTooLong = fmt.Errorf("a text line over %d bytes", MaxLine)
	ErrArgTooLarge = fmt.Errorf("an argument over %d bytes", MaxArg)
	ErrTooFewArgs  = errors.New("a packet with too few arguments")
)

// ErrIncomplete says that more bytes must arrive first.
var ErrIncomplete = errors.New("incomplete message")

// A RefusedError is a reason to close a connection that the peer is told
// first, in an ERROR packet.
type RefusedError struct {
	Code ErrorCode
	Text string
}

func (e *RefusedError) Error() string { return e.Text }

// Next cuts the first message off b and returns it with its length in bytes.
// With [ErrIncomplete] the length is how many bytes the message will have as
// far as b tells, always more than len(b); it is the peer's claim, so a reader
// lets its buffer grow with what arrives and not at once to that length. Any
// other error ends the connection.
func (l Limits) Next(b []byte) (m Message, n int, err error) {
	switch {
	case len(b) == 0:
		return m, 1, ErrIncomplete
	case b[0] != 0:
		return nextLine(b)
	case len(b) < HeaderSize:
		return m, HeaderSize, checkMagic(b)
	}
	m.Magic = Magic(binary.BigEndian.Uint32(b))
	m.Type = Type(binary.BigEndian.Uint32(b[4:]))
	size := uint64(binary.BigEndian.Uint32(b[8:]))
	switch {
	case m.Magic != Req && m.Magic != Res:
		return m, 0, ErrMagic
	case m.Type == 0 || m.Type > lastType:
		return m, 0, ErrType
	case size > uint64(l.Packet):
		return m, 0, &RefusedError{ArgumentTooLarge, fmt.Sprintf("Packet of %d bytes exceeds the limit of %d", size, l.Packet)}
	}
	if n = HeaderSize + int(size); n > len(b) {
		return m, n, ErrIncomplete
	}
	m.Body = b[HeaderSize:n:n]
	return m, n, nil
}

// checkMagic looks at the beginning of a header, so that what can become no
// packet is not waited for.
func checkMagic(b []byte) error {
	if magic := b[:min(4, len(b))]; !bytes.HasPrefix([]byte("\x00REQ"), magic) && !bytes.HasPrefix([]byte("\x00RES"), magic) {
		return ErrMagic
	}
	return ErrIncomplete
}

func nextLine(b []byte) (m Message, n int, err error) {
	i := bytes.IndexByte(b[:min(len(b), MaxLine)], '\n')
	if i < 0 {
		if len(b) >= MaxLine {
			return m, 0, ErrLineTooLong
		}
		return m, len(b) + 1, ErrIncomplete
	}
	return Message{Magic: Text, Body: bytes.TrimSuffix(b[:i:i], []byte("\r"))}, i + 1, nil
}
