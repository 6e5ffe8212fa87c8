package router

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gearbolt/protocol"
)

// at any time: what these tests are about does not depend on it.
var noon = time.Date(2024, 2, 28, 12, 0, 0, 0, time.UTC)

// says is what a machine says to one connection for a message.
func says(m *Machine, c *Conn, msg protocol.Message) string {
	m.Step(noon, c, msg)
	var b []byte
	end := ""
	for _, s := range m.Sends() {
		if b = append(append(b, s.Head...), s.Body...); s.Close {
			end = closed
		}
	}
	return strings.Join(spell(b), " ") + end
}

func TestLengthsOfArguments(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		name string
		msg  protocol.Message
		want string
	}{
		{"CAN_DO of 8192 bytes", request(protocol.CanDo, long(8192)), ""},
		{"CAN_DO of 8193 bytes", request(protocol.CanDo, long(8193)), closed},
		{"a function of 8191 bytes and its NUL", request(protocol.SubmitJob, long(8191), "", ""), "JOB_CREATED H:1-1"},
		{"a function of 8192 bytes and its NUL", request(protocol.SubmitJob, long(8192), "", ""), closed},
		{"an option of 63 bytes", request(protocol.OptionReq, long(63)), errorPacket(protocol.UnknownOption, protocol.TextUnknownOption)},
		{"an option of 64 bytes", request(protocol.OptionReq, long(64)), errorPacket(protocol.UnknownOption, protocol.TextUnknownOption)},
		{"a payload of a megabyte", request(protocol.SubmitJob, "f", "", long(1<<20)), "JOB_CREATED H:1-1"},
	} {
		m := New(noon, 1, Config{HandlePrefix: "H"})
		if got := says(m, m.Connect(Peer{}), c.msg); got != c.want {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
	}
}

func TestClientIDIsCut(t *testing.T) {
	m := New(noon, 1, Config{})
	c := m.Connect(Peer{Addr: "10.0.0.1"})
	says(m, c, request(protocol.SetClientID, strings.Repeat("x", 200)))
	want := `"1 10.0.0.1 ` + strings.Repeat("x", protocol.MaxClientID) + ` :\n" ".\n"`
	if got := says(m, c, line("workers")); got != want {
		t.Errorf("workers: %s, not %s", got, want)
	}
}

// TestHandlesFit: the longest prefix and numbers of 13 digits make a handle
// that every client can hold, and that finds its job.
func TestHandlesFit(t *testing.T) {
	m := New(noon, 9_999_999_999_999, Config{HandlePrefix: strings.Repeat("p", MaxPrefix)})
	m.last.Seq = 9_999_999_999_998
	c := m.Connect(Peer{})
	handle, _ := strings.CutPrefix(says(m, c, request(protocol.SubmitJob, "f", "", "")), "JOB_CREATED ")
	if len(handle) > protocol.MaxHandle {
		t.Errorf("the handle %s has %d bytes", handle, len(handle))
	}
	if got, want := says(m, c, request(protocol.GetStatus, handle)), packet(protocol.StatusRes, handle, "1", "0", "0", "0"); got != want {
		t.Errorf("its status is %q, not %q", got, want)
	}
}

// TestMemoryOfPastJobs: late words about jobs that were taken from a worker
// are swallowed for a long time, and what is remembered of them is bounded.
func TestMemoryOfPastJobs(t *testing.T) {
	m := New(noon, 1, Config{HandlePrefix: "H"})
	c := m.Connect(Peer{})
	says(m, c, request(protocol.CanDo, "f"))
	for n := 1; n <= takenLimit+100; n++ {
		handle := fmt.Sprintf("H:1-%d", n)
		says(m, c, request(protocol.SubmitJob, "f", "", ""))
		says(m, c, request(protocol.GrabJob))
		says(m, c, line("cancel job "+handle))
		if got := says(m, c, request(protocol.WorkComplete, handle, "late")); got != "" {
			t.Fatalf("a late word about job %d is answered %q", n, got)
		}
	}
	if n := len(c.past.taken); n > takenLimit {
		t.Errorf("%d jobs are remembered", n)
	}
}

func TestParkLimit(t *testing.T) {
	m := New(noon, 1, Config{})
	c := m.Connect(Peer{})
	says(m, c, request(protocol.AllYours))
	for n := range parkLimit {
		if got := says(m, c, request(protocol.GrabJob)); got != "" {
			t.Fatalf("request %d is answered %q", n, got)
		}
	}
	want := errorPacket(protocol.QueueError, "Too many requests wait for a job")
	if got := says(m, c, request(protocol.GrabJob)); got != want {
		t.Errorf("one more is answered %q, not %q", got, want)
	}
}

// TestManyLateWords: however many jobs a worker has ended, a second word about
// each is swallowed, and one about a job that it cannot have held is not.
func TestManyLateWords(t *testing.T) {
	const jobs = 40
	m := New(noon, 1, Config{HandlePrefix: "H"})
	c, other := m.Connect(Peer{}), m.Connect(Peer{})
	says(m, c, request(protocol.CanDo, "f"))
	for n := 1; n <= jobs; n++ {
		says(m, other, request(protocol.SubmitJob, "f", "", ""))
		says(m, c, request(protocol.GrabJob))
		says(m, c, request(protocol.WorkException, fmt.Sprintf("H:1-%d", n), "why"))
	}
	for n := 1; n <= jobs; n++ {
		if got := says(m, c, request(protocol.WorkFail, fmt.Sprintf("H:1-%d", n))); got != "" {
			t.Fatalf("the second word about job %d is answered %q", n, got)
		}
	}
	want := errorPacket("JOB_NOT_FOUND", protocol.TextNoSuchResultJob)
	if got := says(m, c, request(protocol.WorkFail, fmt.Sprintf("H:1-%d", jobs+1))); got != want {
		t.Errorf("a word about a job that never was is answered %q", got)
	}
}

// TestWaitingRepliesCount: all that waits for the store counts against the
// connection, also what stores next to nothing.
func TestWaitingRepliesCount(t *testing.T) {
	m := New(noon, 1, Config{HandlePrefix: "H"})
	c := m.Connect(Peer{})
	last := 0
	for _, msg := range []protocol.Message{
		request(protocol.SubmitJobBG, "f", "u", "payload"),
		request(protocol.SubmitJobBG, "f", "u", ""),
		request(protocol.SubmitJob, "f", "u", ""),
		line("maxqueue f 1"),
	} {
		says(m, c, msg)
		if c.Uncommitted() < last+replyOverhead || int64(c.Uncommitted()) != m.Uncommitted() {
			t.Fatalf("%d bytes after %v, %d before, %d in all", c.Uncommitted(), msg, last, m.Uncommitted())
		}
		last = c.Uncommitted()
	}
	m.Changes()
	if m.Committed(noon, nil); c.Uncommitted() != 0 || m.Uncommitted() != 0 {
		t.Errorf("%d and %d bytes wait after the commit", c.Uncommitted(), m.Uncommitted())
	}
}

// TestParkLimitLeavesTheOthers: a request too many is refused, and those that
// wait are served nevertheless.
func TestParkLimitLeavesTheOthers(t *testing.T) {
	m := New(noon, 1, Config{HandlePrefix: "H"})
	w, c := m.Connect(Peer{}), m.Connect(Peer{})
	says(m, w, request(protocol.CanDo, "f"))
	says(m, w, request(protocol.AllYours))
	for range parkLimit + 1 {
		says(m, w, request(protocol.GrabJob))
	}
	says(m, c, request(protocol.SubmitJob, "f", "", ""))
	if m.Running() != 1 || len(w.parked) != parkLimit-1 {
		t.Errorf("%d jobs run and %d requests wait", m.Running(), len(w.parked))
	}
}

// Jobs that are there when a smaller limit on memory comes into force can be
// worked off: workers that come for them have memory of their own.
func TestWorkersComeWhenJobsTakeTheMemory(t *testing.T) {
	const memory = 1 << 16
	m := newBench()
	c := m.Connect(Peer{})
	for m.memory <= memory {
		m.step(c, request(protocol.SubmitJobBG, "f0", "", "job"))
	}
	m.cfg.Limits.Memory = memory
	m.Configure(m.now, m.cfg)
	m.step(m.worker(1), grabJob)
	if m.Running() == 0 {
		t.Error("no worker may come")
	}
}

// When too many replies wait for the store on all connections together, the one
// that has most of them goes, not the one that has the next.
func TestWorstListenerIsCutOff(t *testing.T) {
	m := New(noon, 1, Config{HandlePrefix: "H", Limits: Limits{Replies: 1000}})
	worst, other := m.Connect(Peer{}), m.Connect(Peer{})
	for _, c := range []*Conn{worst, other} {
		says(m, c, request(protocol.SubmitJobBG, "f", "", ""))
	}
	says(m, worst, request(protocol.EchoReq, strings.Repeat("x", 900)))
	says(m, other, request(protocol.EchoReq, strings.Repeat("x", 200)))
	if !worst.Closing() || other.Closing() || m.heldBytes > 1000 {
		t.Errorf("who has most is closed: %v, the other one: %v, and %d bytes wait", worst.Closing(), other.Closing(), m.heldBytes)
	}
	if err := m.check(); err != nil {
		t.Error(err)
	}
}

// A foreground job counts for its payload in memory until it becomes a
// background job, and from then until the store has it with what waits for that:
// never for nothing.
func TestPayloadCountsWhileItWaitsForTheStore(t *testing.T) {
	m := New(noon, 1, Config{HandlePrefix: "H"})
	c := m.Connect(Peer{})
	says(m, c, request(protocol.SubmitJob, "f", "u", strings.Repeat("x", 100_000)))
	counted := m.memory + m.Uncommitted()
	if says(m, c, request(protocol.SubmitJobBG, "f", "u", "")); m.memory+m.Uncommitted() < 100_000 {
		t.Errorf("a job of 100000 bytes counts for %d, and then for %d", counted, m.memory+m.Uncommitted())
	}
}

// There are no more jobs than can be told apart, though there is no limit.
func TestMostJobs(t *testing.T) {
	m := New(noon, 1, Config{HandlePrefix: "H"})
	c := m.Connect(Peer{})
	m.jobs.numbers.n += mostJobs - 1
	for _, want := range []string{"JOB_CREATED H:1-1", errorPacket(protocol.QueueError, refusalTexts[JobsOverMaxJobs])} {
		if got := says(m, c, request(protocol.SubmitJob, "f", "", "")); got != want {
			t.Errorf("%q instead of %q", got, want)
		}
	}
}
