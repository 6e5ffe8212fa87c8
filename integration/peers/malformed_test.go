package peers

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

// What peers say is taken from this and then garbled.
var sayings = [][]byte{
	request(protocol.CanDo, "f"), request(protocol.CanDo, "g"), request(protocol.CantDo, "f"), request(protocol.CanDoTimeout, "f", "1000"),
	request(protocol.ResetAbilities), request(protocol.PreSleep), request(protocol.AllYours), request(protocol.SetClientID, "id"),
	request(protocol.GrabJob), request(protocol.GrabJobUniq), request(protocol.GrabJobAll), request(protocol.EchoReq, "echo"),
	request(protocol.SubmitJob, "f", "u", "x"), request(protocol.SubmitJobHigh, "g", "", "x"), request(protocol.SubmitJobLow, "f", "-", "x"),
	request(protocol.SubmitJobBG, "f", "", "x"), request(protocol.SubmitJobHighBG, "g", "u", "x"), request(protocol.SubmitJobLowBG, "f", "-", "x"),
	request(protocol.SubmitJobEpoch, "f", "", "1", "x"), request(protocol.SubmitJobSched, "f", "", "*", "*", "1", "", "", "x"),
	request(protocol.SubmitReduceJob, "f", "", "r", "", "x"), request(protocol.SubmitReduceJobBG, "f", "", "r", "", "x"),
	request(protocol.GetStatus, "H:x:1"), request(protocol.GetStatusUnique, "u"), request(protocol.OptionReq, "exceptions"),
	request(protocol.WorkData, "H:x:1", "x"), request(protocol.WorkStatus, "H:x:1", "1", "2"), request(protocol.WorkComplete, "H:x:1", "x"),
	request(protocol.WorkFail, "H:x:1"), request(protocol.WorkException, "H:x:1", "x"), request(protocol.WorkWarning, "H:x:1", "x"),
	[]byte("status\n"), []byte("workers\r\n"), []byte("show jobs\n"), []byte("show unique jobs\n"), []byte("maxqueue f 10\n"),
	[]byte("cancel job H:x:1\n"), []byte("create function h\n"), []byte("drop function h\n"), []byte("version\n"), []byte("prioritystatus\n"),
}

// A conversation is what one peer says.
type conversation struct {
	*rand.Rand
	seed  uint64
	bytes []byte
}

func newConversation(seed uint64) *conversation {
	c := &conversation{Rand: rand.New(rand.NewPCG(seed, 0)), seed: seed}
	for range 1 + c.IntN(8) {
		c.bytes = append(c.bytes, sayings[c.IntN(len(sayings))]...)
	}
	for range 1 + c.IntN(4) {
		c.garble()
	}
	return c
}

// garble alters what is said in one place.
func (c *conversation) garble() {
	if len(c.bytes) == 0 {
		return
	}
	at := c.IntN(len(c.bytes))
	to := min(at+1+c.IntN(20), len(c.bytes))
	part := bytes.Clone(c.bytes[at:to])
	switch c.IntN(8) {
	case 0:
		c.bytes[at] ^= 1 << c.IntN(8)
	case 1:
		c.bytes[at] = byte(c.Uint32())
	case 2:
		c.bytes = append(c.bytes[:at], c.bytes[to:]...)
	case 3:
		c.bytes = append(append(bytes.Clone(c.bytes[:to]), part...), c.bytes[to:]...)
	case 4:
		clear(c.bytes[at:to])
	case 5:
		c.bytes = c.bytes[:to]
	default:
		c.lieAboutSize(at)
	}
}

// lieAboutSize alters the size of the first packet from a place on, or its
// number.
func (c *conversation) lieAboutSize(from int) {
	at := bytes.Index(c.bytes[from:], []byte("\x00REQ"))
	if at < 0 || len(c.bytes) < from+at+protocol.HeaderSize {
		return
	}
	header := c.bytes[from+at:]
	sizes := []uint32{0, 1, 7, 100, 8192, 1 << 16, 64 << 20, 1 << 31, 1<<32 - 1}
	if c.IntN(4) == 0 {
		binary.BigEndian.PutUint32(header[4:], c.Uint32N(45))
		return
	}
	binary.BigEndian.PutUint32(header[8:], sizes[c.IntN(len(sizes))])
}

// hold says it all, and hears the answers to the end, or hangs up.
func (c *conversation) hold(conn net.Conn) error {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(judge.Patience))
	cut := c.IntN(len(c.bytes) + 1) // in two segments
	conn.Write(c.bytes[:cut])
	conn.Write(c.bytes[cut:])
	if c.IntN(8) == 0 {
		conn.(*net.TCPConn).SetLinger(0)
		return nil
	}
	conn.(*net.TCPConn).CloseWrite()
	said, err := io.ReadAll(conn)
	if err != nil {
		if errors.Is(err, syscall.ECONNRESET) {
			return nil // it has closed with bytes unread
		}
		return err
	}
	return whole(said)
}

// whole checks that what a server has said is packets and lines.
func whole(said []byte) error {
	for len(said) > 0 {
		m, n, err := protocol.Limits{Packet: 1 << 30}.Next(said)
		if err != nil || m.Magic == protocol.Req {
			return fmt.Errorf("the server says %.100q: %v", said, err)
		}
		said = said[n:]
	}
	return nil
}

// atATime is how many malformed conversations there are at a time.
const atATime = 64

// A million is asked for by -malformed 1000000.
func TestMalformedConversations(t *testing.T) {
	s := launch(t, "--max-jobs-per-function", "100", "--max-functions", "2000", "--verbose", "WARNING")
	began := time.Now()
	s.beside(func() {
		var held atomic.Uint64
		var all sync.WaitGroup
		for range atATime {
			all.Go(func() {
				for i := held.Add(1); i <= uint64(*malformed) && !t.Failed(); i = held.Add(1) {
					s.converse(*seed + i - 1)
				}
			})
		}
		all.Wait()
	})
	t.Logf("%d conversations, %.0f a second", *malformed, float64(*malformed)/time.Since(began).Seconds())
	for _, counter := range []string{"connections_cut_unreadable", "connections_cut_foreign_protocol", "packets_refused_malformed"} {
		t.Logf("%s: %d", counter, s.counted(counter))
	}
	s.await("all of them are gone", func() bool { return s.connected() == 0 })
	s.settles()
	s.fewGoroutines()
}

func (s *stage) converse(seed uint64) {
	conn, err := net.DialTimeout("tcp", s.server.Addr, judge.Patience)
	if err == nil {
		err = newConversation(seed).hold(conn)
	}
	if err == nil {
		return
	}
	first := max(seed, atATime) - atATime // others were under way
	s.Errorf("%v\nagain: go test ./integration/peers -run Malformed -malformed 1 -seed %d\nor:    go test ./integration/peers -run Malformed -malformed %d -seed %d\n%.4000s",
		err, seed, 2*atATime, first, s.server.Output())
}

// fewGoroutines ends the server by a signal that makes Go print what it has
// under way, and counts.
func (s *stage) fewGoroutines() {
	s.Helper()
	s.server.Signal(syscall.SIGQUIT)
	s.server.Wait(judge.Patience)
	n := strings.Count("\n"+s.server.Output(), "\ngoroutine ")
	s.Logf("%d goroutines", n)
	if n == 0 || n > 40 {
		s.Errorf("%d goroutines are left", n)
	}
}

// The same seed says the same, and most of what is said is not what it was.
func TestConversationsAreMalformed(t *testing.T) {
	different := make(map[string]bool)
	for i := range uint64(1000) {
		a, b := newConversation(i), newConversation(i)
		if !bytes.Equal(a.bytes, b.bytes) {
			t.Fatalf("seed %d says %q and %q", i, a.bytes, b.bytes)
		}
		different[string(a.bytes)] = true
	}
	if len(different) < 950 {
		t.Errorf("1000 seeds say %d different things", len(different))
	}
}
