package clients

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"
)

// The packet types that the tests send or read themselves, as PROTOCOL numbers
// them. They are not taken from our own codec: these tests trust nothing of
// ours.
const (
	canDo           = 1
	echoReq         = 16
	echoRes         = 17
	submitJobBg     = 18
	getStatusUnique = 41
	statusResUnique = 42
)

// packet frames a request whose arguments are separated by NULs.
func packet(kind uint32, args ...string) []byte {
	var body []byte
	for i, a := range args {
		if i > 0 {
			body = append(body, 0)
		}
		body = append(body, a...)
	}
	p := binary.BigEndian.AppendUint32([]byte("\x00REQ"), kind)
	p = binary.BigEndian.AppendUint32(p, uint32(len(body)))
	return append(p, body...)
}

// exchange writes a request and reads one response, which has to be of the
// type given; it returns the arguments.
func exchange(t testing.TB, c net.Conn, request []byte, kind uint32) [][]byte {
	t.Helper()
	if _, err := c.Write(request); err != nil {
		t.Fatal(err)
	}
	got, body := readPacket(t, c)
	if got != kind {
		t.Fatalf("the answer is of type %d: %q, want type %d", got, body, kind)
	}
	return bytes.Split(body, []byte{0})
}

func readPacket(t testing.TB, r io.Reader) (kind uint32, body []byte) {
	t.Helper()
	var header [12]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		t.Fatal(err)
	}
	body = make([]byte, binary.BigEndian.Uint32(header[8:]))
	if _, err := io.ReadFull(r, body); err != nil {
		t.Fatal(err)
	}
	return binary.BigEndian.Uint32(header[4:]), body
}

// listeners returns how many foreground clients wait for the job with a
// unique id.
func listeners(t testing.TB, c net.Conn, unique string) string {
	t.Helper()
	args := exchange(t, c, packet(getStatusUnique, unique), statusResUnique)
	return string(args[len(args)-1])
}
