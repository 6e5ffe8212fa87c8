package protocol

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// A packetRule is what PROTOCOL (and, for REDUCE and what is behind it,
// gearmand) says of one packet. The table is written from there and not from
// shapes, which it is to check.
type packetRule struct {
	name     string
	args     []string // a body's arguments; a last one of "…" is opaque data
	expected bool     // a server takes it
}

const data = "…"

// rules is indexed by packet number.
var rules = [43]packetRule{
	1:  {"CAN_DO", []string{"function"}, true},
	2:  {"CANT_DO", []string{"function"}, true},
	3:  {"RESET_ABILITIES", nil, true},
	4:  {"PRE_SLEEP", nil, true},
	5:  {"UNUSED", nil, false},
	6:  {"NOOP", nil, false},
	7:  {"SUBMIT_JOB", []string{"function", "unique", data}, true},
	8:  {"JOB_CREATED", []string{"handle"}, false},
	9:  {"GRAB_JOB", nil, true},
	10: {"NO_JOB", nil, false},
	11: {"JOB_ASSIGN", []string{"handle", "function", data}, false},
	12: {"WORK_STATUS", []string{"handle", "3", "10"}, true},
	13: {"WORK_COMPLETE", []string{"handle", data}, true},
	14: {"WORK_FAIL", []string{"handle"}, true},
	15: {"GET_STATUS", []string{"handle"}, true},
	16: {"ECHO_REQ", []string{data}, true},
	17: {"ECHO_RES", []string{data}, false},
	18: {"SUBMIT_JOB_BG", []string{"function", "unique", data}, true},
	19: {"ERROR", []string{"code", "text"}, false},
	20: {"STATUS_RES", []string{"handle", "1", "0", "3", "10"}, false},
	21: {"SUBMIT_JOB_HIGH", []string{"function", "unique", data}, true},
	22: {"SET_CLIENT_ID", []string{"id"}, true},
	23: {"CAN_DO_TIMEOUT", []string{"function", "1000"}, true},
	24: {"ALL_YOURS", nil, true},
	25: {"WORK_EXCEPTION", []string{"handle", data}, true},
	26: {"OPTION_REQ", []string{"exceptions"}, true},
	27: {"OPTION_RES", []string{"exceptions"}, false},
	28: {"WORK_DATA", []string{"handle", data}, true},
	29: {"WORK_WARNING", []string{"handle", data}, true},
	30: {"GRAB_JOB_UNIQ", nil, true},
	31: {"JOB_ASSIGN_UNIQ", []string{"handle", "function", "unique", data}, false},
	32: {"SUBMIT_JOB_HIGH_BG", []string{"function", "unique", data}, true},
	33: {"SUBMIT_JOB_LOW", []string{"function", "unique", data}, true},
	34: {"SUBMIT_JOB_LOW_BG", []string{"function", "unique", data}, true},
	35: {"SUBMIT_JOB_SCHED", []string{"function", "unique", "1", "2", "3", "4", "5", data}, true},
	36: {"SUBMIT_JOB_EPOCH", []string{"function", "unique", "1700000000", data}, true},
	37: {"SUBMIT_REDUCE_JOB", []string{"function", "unique", "reducer", "", data}, true},
	38: {"SUBMIT_REDUCE_JOB_BACKGROUND", []string{"function", "unique", "reducer", "", data}, true},
	39: {"GRAB_JOB_ALL", nil, true},
	40: {"JOB_ASSIGN_ALL", []string{"handle", "function", "unique", "reducer", data}, false},
	41: {"GET_STATUS_UNIQUE", []string{"unique"}, true},
	42: {"STATUS_RES_UNIQUE", []string{"unique", "1", "0", "3", "10", "2"}, false},
}

func TestEveryPacketNumber(t *testing.T) {
	for i, want := range rules[1:] {
		number := Type(i + 1)
		if got := number.String(); got != want.name {
			t.Errorf("packet %d is called %s, want %s", number, got, want.name)
		}
		if got := number.Expected(); got != want.expected {
			t.Errorf("%s.Expected() = %v, want %v", number, got, want.expected)
		}
		for _, magic := range []Magic{Req, Res} {
			roundTrip(t, magic, number, want.args)
		}
	}
}

// roundTrip writes a packet, compares its bytes with what PROTOCOL draws, and
// reads it again.
func roundTrip(t *testing.T, magic Magic, number Type, args []string) {
	t.Helper()
	packet := Append([]byte("before"), magic, number, toBytes(args)...)[len("before"):]
	want := rawPacket(magic, number, strings.Join(args, "\x00"))
	if !bytes.Equal(packet, want) {
		t.Fatalf("%s: wrote %q, want %q", number, packet, want)
	}
	m, n, err := Limits{Packet: 1 << 10}.Next(append(packet, "behind"...))
	if err != nil || n != len(packet) || m.Magic != magic || m.Type != number {
		t.Fatalf("%s: read %v %v of %d bytes, %v", number, m.Magic, m.Type, n, err)
	}
	var a Args
	if err := Split(m.Type, m.Body, &a); err != nil {
		t.Fatalf("%s: %v", number, err)
	}
	if got := parts(&a); !slices.Equal(got, args) {
		t.Errorf("%s: read %q, want %q", number, got, args)
	}
}

// rawPacket puts a packet together byte by byte.
func rawPacket(magic Magic, number Type, body string) []byte {
	b := []byte("\x00REQ\x00\x00\x00\x00\x00\x00\x00\x00")
	if magic == Res {
		b[3] = 'S'
	}
	b[7] = byte(number)
	b[9], b[10], b[11] = byte(len(body)>>16), byte(len(body)>>8), byte(len(body))
	return append(b, body...)
}

// parts are the arguments of a, and behind them its data.
func parts(a *Args) (p []string) {
	for _, arg := range a.Arg[:a.N] {
		p = append(p, string(arg))
	}
	if a.Data != nil {
		p = append(p, string(a.Data))
	}
	return p
}

func toBytes(args []string) (b [][]byte) {
	for _, a := range args {
		b = append(b, []byte(a))
	}
	return b
}

func TestNamesOfNumbersThatDoNotExist(t *testing.T) {
	for number, want := range map[Type]string{0: "PACKET_0", 43: "PACKET_43", 1<<32 - 1: "PACKET_4294967295"} {
		if got := number.String(); got != want {
			t.Errorf("packet %d is called %s, want %s", uint32(number), got, want)
		}
		if number.Expected() {
			t.Errorf("%s is expected", number)
		}
	}
}

func TestBodySizeWrittenAfterwards(t *testing.T) {
	b := AppendHeader([]byte("before"), Res, EchoRes, 0)
	b = FinishPacket(append(b, "body"...), len("before"))
	if want := append([]byte("before"), rawPacket(Res, EchoRes, "body")...); !bytes.Equal(b, want) {
		t.Errorf("got %q, want %q", b, want)
	}
	b = SetBodySize(AppendHeader(nil, Res, EchoRes, 0), 0, 0x010203)
	if want := []byte{0, 1, 2, 3}; !bytes.Equal(b[8:], want) {
		t.Errorf("got a size of %v, want %v", b[8:], want)
	}
}

// libgearman maps the codes back to its errors, so that they are part of the
// wire.
func TestErrorPackets(t *testing.T) {
	for _, c := range []struct {
		code ErrorCode
		text string
		want string
	}{
		{InvalidMagic, TextInvalidMagic, "INVALID_MAGIC\x00Request magic expected"},
		{InvalidCommand, TextInvalidCommand, "INVALID_COMMAND\x00Command not expected"},
		{ArgumentTooLarge, TextUniqueTooLarge, "ARGUMENT_TOO_LARGE\x00Unique value too large"},
		{ArgumentTooLarge, TextHandleTooLarge, "ARGUMENT_TOO_LARGE\x00Error occurred due to GEARMAND_JOB_HANDLE_SIZE being too small from snprintf"},
		{QueueError, TextQueueFull, "QUEUE_ERROR\x00Job queue is full"},
		{UnknownOption, TextUnknownOption, "UNKNOWN_OPTION\x00Server does not recognize given option"},
		{JobNotFound, TextNoSuchJob, "JOB_NOT_FOUND\x00Job does not exist on server"},
		{JobNotFound, TextNoSuchResultJob, "JOB_NOT_FOUND\x00Job given in work result not found"},
		{JobNotFound, TextNoSuchExceptedJob, "JOB_NOT_FOUND\x00An exception was received for a job that does not exist"},
		{InvalidPacket, "", "INVALID_PACKET\x00"},
	} {
		if got, want := AppendError(nil, c.code, c.text), rawPacket(Res, Error, c.want); !bytes.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
