package peers

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

// Every command with every lie about sizes. What is due is written down here
// once more, from the rules and not from the server's tables.

// An outcome is what becomes of a connection.
type outcome uint8

const (
	goesOn  outcome = iota // it is answered or not, and the connection is of use
	invalid                // ERROR INVALID_MAGIC or INVALID_COMMAND, and it goes on
	refused                // an ERROR, and closed
	closed                 // closed without a word
	waits                  // more is waited for
)

// A command is a packet's number and how its body is to look.
type command struct {
	kind protocol.Type
	nuls int  // that its body must have
	last bool // its last argument is the rest of the body, and no data
}

// commands are those that a server takes.
var commands = []command{
	{protocol.CanDo, 0, true}, {protocol.CantDo, 0, true}, {protocol.ResetAbilities, 0, false}, {protocol.PreSleep, 0, false},
	{protocol.SubmitJob, 2, false}, {protocol.GrabJob, 0, false}, {protocol.WorkStatus, 1, true}, {protocol.WorkComplete, 0, false},
	{protocol.WorkFail, 0, true}, {protocol.GetStatus, 0, true}, {protocol.EchoReq, 0, false}, {protocol.SubmitJobBG, 2, false},
	{protocol.SubmitJobHigh, 2, false}, {protocol.SetClientID, 0, true}, {protocol.CanDoTimeout, 1, true}, {protocol.AllYours, 0, false},
	{protocol.WorkException, 0, false}, {protocol.OptionReq, 0, true}, {protocol.WorkData, 0, false}, {protocol.WorkWarning, 0, false},
	{protocol.GrabJobUniq, 0, false}, {protocol.SubmitJobHighBG, 2, false}, {protocol.SubmitJobLow, 2, false},
	{protocol.SubmitJobLowBG, 2, false}, {protocol.SubmitJobSched, 7, false}, {protocol.SubmitJobEpoch, 3, false},
	{protocol.SubmitReduceJob, 3, false}, {protocol.SubmitReduceJobBG, 3, false}, {protocol.GrabJobAll, 0, false},
	{protocol.GetStatusUnique, 0, true},
}

// unexpected are those that only a server says, and the one that nobody does.
var unexpected = []protocol.Type{5, protocol.Noop, protocol.JobCreated, protocol.NoJob, protocol.JobAssign, protocol.EchoRes,
	protocol.Error, protocol.StatusRes, protocol.OptionRes, protocol.JobAssignUniq, protocol.JobAssignAll, protocol.StatusResUnique}

// A lie is bytes, and what is due to them.
type lie struct {
	name  string
	bytes []byte
	due   outcome
}

// packet is a packet of any magic and number that says it has size bytes.
func packet(magic, kind, size uint32, body string) []byte {
	b := binary.BigEndian.AppendUint32(nil, magic)
	b = binary.BigEndian.AppendUint32(b, kind)
	return append(binary.BigEndian.AppendUint32(b, size), body...)
}

// lies are those that can be told with a command.
func (c command) lies() (all []lie) {
	add := func(name string, size uint32, body string, due outcome) {
		all = append(all, lie{fmt.Sprintf("%s: %s", c.kind, name), packet(uint32(protocol.Req), uint32(c.kind), size, body), due})
	}
	with := func(name, body string, due outcome) { add(name, uint32(len(body)), body, due) }
	needs := func(n int) outcome {
		if n < c.nuls {
			return refused
		}
		return goesOn
	}
	args := strings.Repeat("x\x00", c.nuls)
	with("no body", "", needs(0))
	with("one byte", "x", needs(0))
	with("one NUL", "\x00", needs(1))
	with("one NUL too few", strings.Repeat("x\x00", max(c.nuls-1, 0)), needs(max(c.nuls-1, 0)))
	number := goesOn // what is longer than any number can be
	if c.kind == protocol.WorkStatus || c.kind == protocol.CanDoTimeout {
		number = closed
	}
	with("NULs and nothing else", strings.Repeat("\x00", 9), goesOn)
	with("a thousand NULs", args+strings.Repeat("\x00", 1000), number)
	with("every byte", args+allBytes, number)
	tooLong := goesOn // with an ERROR, or since no job has such a handle
	if c.kind == protocol.GetStatusUnique || c.kind == protocol.GetStatus {
		tooLong = closed
	}
	with("a unique id, or a handle, of 65 bytes", long(65, c.nuls), tooLong)
	with("of 8191 bytes", long(8191, c.nuls), tooLong)
	if c.nuls > 0 {
		with("of 8192 bytes", long(8192, c.nuls), closed)
	} else if c.last {
		with("of 8193 bytes", long(8193, 0), closed)
	}
	add("more than comes", uint32(len(args))+100, args+"x", waits)
	add("a megabyte announced", 1*mib, args, waits)
	add("over the packet limit", 64*mib+1, args, refused)
	add("2 GiB", 1<<31, args, refused)
	add("4 GiB - 1", 1<<32-1, args, refused)
	all = append(all, lie{c.kind.String() + ": as an answer", packet(uint32(protocol.Res), uint32(c.kind), uint32(len(args)), args), invalid})
	return all
}

// long are arguments of n bytes each, as many as have a NUL behind them; with
// none, one.
func long(n, nuls int) string {
	if nuls == 0 {
		return strings.Repeat("x", n)
	}
	return strings.Repeat(strings.Repeat("x", n)+"\x00", nuls)
}

var allBytes = func() string {
	var b [256]byte
	for i := range b {
		b[i] = byte(i)
	}
	return string(b[:])
}()

// otherLies are told with no command.
func otherLies() (all []lie) {
	req, res := uint32(protocol.Req), uint32(protocol.Res)
	for _, kind := range unexpected {
		for _, magic := range []uint32{req, res} {
			all = append(all, lie{fmt.Sprintf("unexpected %s", kind), packet(magic, uint32(kind), 4, "x\x00yz"), invalid})
		}
	}
	for _, kind := range []uint32{0, 43, 44, 255, 256, 1 << 16, 1<<24 + 7, 1<<31 + 7, 1<<32 - 1} {
		for _, magic := range []uint32{req, res} {
			all = append(all, lie{fmt.Sprintf("no such command %#x", kind), packet(magic, kind, 0, ""), closed})
		}
	}
	for _, magic := range []uint32{0, 1, 0x00524550, 0x00005245, 0x00ffffff, 0x00514552} {
		all = append(all, lie{fmt.Sprintf("magic %#x", magic), packet(magic, 16, 0, ""), closed})
	}
	echo := string(request(protocol.EchoReq, "x"))
	for _, l := range []struct {
		text string
		due  outcome
	}{
		{"\n", goesOn}, {"\r\n", goesOn}, {" \n", goesOn}, {"\t\n", goesOn},
		{"sta\x00tus\n", goesOn}, {"status\x00\n", goesOn}, {"\x01\x02\xff\n", goesOn}, {"version" + echo, waits},
		{"version\n" + echo, goesOn}, {echo + "version\n" + echo, goesOn}, {strings.Repeat("x", 8191) + "\n", goesOn},
		{strings.Repeat("x", 8192) + "\n", closed}, {strings.Repeat("x", 100_000), closed}, {strings.Repeat(" ", 8191) + "\n", goesOn},
		{"a b c d e f\n", closed}, {"maxqueue f 99999999999999999999\n", goesOn}, {"maxqueue f -1 -2 -3\n", goesOn},
		{"cancel job " + strings.Repeat("H", 8000) + "\n", goesOn}, {"create function \xff\xfe\n", goesOn},
		{"GET / HTTP/1.1\r\n\r\n", closed}, {"\x16\x03\x01\x02\x00\x01", closed}, {"\x00", closed}, {"\x00REQ\x00\x00\x00", closed}, {"\x00RX", closed},
	} {
		all = append(all, lie{fmt.Sprintf("bytes %.40q", l.text), []byte(l.text), l.due})
	}
	return all
}

// Behind each lie an ECHO is said, which tells what the lie has led to; and
// beside it others get their answers.
func TestLies(t *testing.T) {
	s := launch(t)
	p := s.pair()
	defer p.end()
	all := otherLies()
	for _, c := range commands {
		all = append(all, c.lies()...)
	}
	for _, l := range all {
		if err := l.tell(s.bad(), judge.Patience); err != nil {
			t.Errorf("%s: %v", l.name, err)
		}
		if err := p.call(); err != nil {
			t.Fatalf("after %s: %v", l.name, err)
		}
	}
	t.Logf("%d lies; beside them %s", len(all), p)
	s.await("only the pair is there", func() bool { return s.connected() == 2 })
}

// probe is said behind a lie.
const probe = "is this heard"

// tell tells a lie and checks what comes of it. What is due comes within
// patience.
func (l lie) tell(c net.Conn, patience time.Duration) error {
	defer c.Close()
	if l.due == waits {
		patience = silence
	}
	c.Write(append(bytes.Clone(l.bytes), request(protocol.EchoReq, probe)...))
	echoed := request(protocol.EchoReq, probe)
	echoed[3], echoed[7] = 'S', byte(protocol.EchoRes)
	said, end := hear(c, echoed, patience)
	heard := bytes.HasSuffix(said, echoed)
	failed := bytes.Contains(said, []byte("\x00RES\x00\x00\x00\x13"))
	got := map[bool]outcome{true: goesOn, false: waits}[heard]
	switch {
	case heard && l.due == invalid && failed:
		got = invalid
	case end && failed:
		got = refused
	case end:
		got = closed
	}
	if got != l.due {
		return fmt.Errorf("told %.200q, closed: %v; that is outcome %d, and not %d", said, end, got, l.due)
	}
	return nil
}

// silence is how long nothing is to be said to who has said but half of it.
const silence = 100 * time.Millisecond

// hear reads until the connection ends, or what was said ends with last, or
// nothing is said for so long.
func hear(c net.Conn, last []byte, patience time.Duration) (said []byte, end bool) {
	part := make([]byte, 64*kib)
	for {
		c.SetReadDeadline(time.Now().Add(patience))
		n, err := c.Read(part)
		said = append(said, part[:n]...)
		switch timeout, ok := err.(net.Error); {
		case bytes.HasSuffix(said, last):
			return said, false
		case ok && timeout.Timeout():
			return said, false
		case err != nil:
			return said, true
		}
	}
}

// The answers of a server that says nothing, and of one that hangs up, are not
// taken for those of one that goes on.
func TestLiesAreTold(t *testing.T) {
	for name, serve := range map[string]func(net.Conn){
		"mute":     func(c net.Conn) { c.Read(make([]byte, 100)) },
		"hangs up": func(c net.Conn) { c.Read(make([]byte, 100)); c.Close() },
		"only fails": func(c net.Conn) {
			c.Read(make([]byte, 100))
			c.Write(protocol.AppendError(nil, protocol.InvalidPacket, "no"))
		},
	} {
		ours, theirs := net.Pipe()
		ours.SetWriteDeadline(time.Now().Add(silence))
		go serve(theirs)
		if err := (lie{name, []byte("x"), goesOn}).tell(ours, silence); err == nil {
			t.Errorf("a server that is %s passes", name)
		}
		theirs.Close()
	}
}
