package protocol

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

var limits = Limits{Packet: 1000}

func TestLinesAtTheirBorder(t *testing.T) {
	for _, c := range []struct {
		name string
		in   string
		body int // length of the line, -1: none
		err  error
	}{
		{"8191 with LF", strings.Repeat("x", 8190) + "\n", 8190, nil},
		{"8192 with LF", strings.Repeat("x", 8191) + "\n", 8191, nil},
		{"8192 with CR LF", strings.Repeat("x", 8190) + "\r\n", 8190, nil},
		{"8193 with LF", strings.Repeat("x", 8192) + "\n", -1, ErrLineTooLong},
		{"8191 without", strings.Repeat("x", 8191), -1, ErrIncomplete},
		{"8192 without", strings.Repeat("x", 8192), -1, ErrLineTooLong},
	} {
		m, n, err := limits.Next([]byte(c.in))
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
		}
		if c.err == nil && (n != len(c.in) || len(m.Body) != c.body) {
			t.Errorf("%s: a line of %d in %d bytes, want %d in %d", c.name, len(m.Body), n, c.body, len(c.in))
		}
	}
}

func TestLines(t *testing.T) {
	for in, want := range map[string]string{
		"\n":                "",
		"\r\n":              "",
		"status\nworkers\n": "status",
		"status\r\n":        "status",
		"a\rb\r\r\n":        "a\rb\r",
		"\x80\xff\n":        "\x80\xff",
		"no\x00thing\n":     "no\x00thing",
	} {
		m, n, err := limits.Next([]byte(in))
		if err != nil || m.Magic != Text || string(m.Body) != want || n != strings.IndexByte(in, '\n')+1 {
			t.Errorf("%q: %q of %d bytes, %v; want %q", in, m.Body, n, err, want)
		}
	}
}

// A peer's claim of a length is judged by the header, before any byte of the
// body is there.
func TestPacketLimitIsJudgedByTheHeader(t *testing.T) {
	for _, c := range []struct {
		limit, size int
		refused     bool
	}{
		{1000, 999, false}, {1000, 1000, false}, {1000, 1001, true}, {1000, 1<<32 - 1, true},
		{0, 0, false}, {0, 1, true},
		{DefaultPacketLimit, 64 << 20, false}, {DefaultPacketLimit, 64<<20 + 1, true},
	} {
		header := AppendHeader(nil, Req, SubmitJob, c.size)
		_, n, err := Limits{Packet: c.limit}.Next(header)
		var refused *RefusedError
		if errors.As(err, &refused) != c.refused {
			t.Errorf("%d bytes with a limit of %d: %v", c.size, c.limit, err)
		}
		if errors.Is(err, ErrIncomplete) && n != HeaderSize+c.size {
			t.Errorf("%d bytes: waits for %d", c.size, n)
		}
	}
}

func TestRefusalNamesBothSizes(t *testing.T) {
	_, _, err := limits.Next(AppendHeader(nil, Req, SubmitJob, 1001))
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Code != ArgumentTooLarge || refused.Error() != "Packet of 1001 bytes exceeds the limit of 1000" {
		t.Errorf("got %#v", err)
	}
}

func TestBytesThatAreNoMessage(t *testing.T) {
	for in, want := range map[string]error{
		"\x00REX":                                     ErrMagic,
		"\x00X":                                       ErrMagic,
		"\x00\x00":                                    ErrMagic,
		"\x00RE":                                      ErrIncomplete,
		"\x00REQ\x00\x00\x00":                         ErrIncomplete,
		"\x00RET\x00\x00\x00\x01\x00":                 ErrMagic,
		"\x00req\x00\x00\x00\x01\x00":                 ErrMagic,
		string(AppendHeader(nil, 1, CanDo, 0)):        ErrMagic,
		string(AppendHeader(nil, Req, 0, 0)):          ErrType,
		string(AppendHeader(nil, Req, 43, 0)):         ErrType,
		string(AppendHeader(nil, Res, 1<<31, 0)):      ErrType,
		string(AppendHeader(nil, Req, 1<<32-1, 5000)): ErrType,
	} {
		if _, _, err := limits.Next([]byte(in)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", in, err, want)
		}
	}
}

// How far an incomplete message claims to reach is what a reader makes room
// for.
func TestIncompleteMessagesTellTheirLength(t *testing.T) {
	packet := rawPacket(Req, CanDo, "function")
	for in, want := range map[string]int{
		"":                             1,
		"\x00":                         HeaderSize,
		string(packet[:HeaderSize-1]):  HeaderSize,
		string(packet[:HeaderSize]):    len(packet),
		string(packet[:len(packet)-1]): len(packet),
		"stat":                         5,
	} {
		if _, n, err := limits.Next([]byte(in)); n != want || !errors.Is(err, ErrIncomplete) {
			t.Errorf("%q: %d, %v; want %d", in, n, err, want)
		}
	}
}

// What is appended to a message must not run into the bytes behind it.
func TestMessagesDoNotReachBeyondThemselves(t *testing.T) {
	for _, first := range [][]byte{rawPacket(Req, WorkStatus, "h\x001"), []byte("status\r\n"), []byte("status\n")} {
		both := append(bytes.Clone(first), "workers\n"...)
		m, n, err := limits.Next(both)
		if err != nil {
			t.Fatal(err)
		}
		_ = append(m.Body, "spoiled"...)
		if got := string(both[n:]); got != "workers\n" {
			t.Errorf("%q: an append to the body reached %q", first, got)
		}
	}
}
