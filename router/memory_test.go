package router

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"gearbolt/protocol"
)

// A load is what fills a machine's memory.
type load struct {
	name     string
	payloads int64                               // Config.PayloadMemory
	message  func(i int) protocol.Message        // said by one client
	then     func(m *bench, client *Conn, i int) // what follows; may be nil
}

// loads are what peers can have the machine keep most of.
var loads = []load{
	{name: "plain", payloads: 1 << 30, message: each(protocol.SubmitJobBG, "f0", "", "payload-%09d")},
	{name: "empty", message: each(protocol.SubmitJobBG, "f0", "", "")},
	{name: "stored", message: each(protocol.SubmitJobBG, "f0", "", "payload-%09d")},
	{name: "unique", message: each(protocol.SubmitJobBG, "f0", "id-%06d", "")},
	{name: "unique of 33 bytes", message: each(protocol.SubmitJobBG, "f0", "%033d", "")},
	{name: "unique of 64 bytes", message: each(protocol.SubmitJobBG, "f0", "%064d", "")},
	{name: "payload for a unique", message: each(protocol.SubmitJobBG, "f0", "-", "%060d")},
	{name: "long payload for a unique", message: each(protocol.SubmitJobBG, "f0", "-", "%0200d")},
	{name: "reducer", message: each(protocol.SubmitReduceJobBG, "f0", "%064d", strings.Repeat("r", 64), "")},
	{name: "delayed", message: each(protocol.SubmitJobEpoch, "f0", "", "1900000000", "")},
	{name: "delayed unique", message: each(protocol.SubmitJobEpoch, "f0", "%033d", "1900000000", "")},
	{name: "foreground", message: each(protocol.SubmitJob, "f0", "", "")},
	{name: "foreground unique", message: each(protocol.SubmitJob, "f0", "%033d", "payload of eighteen")},
	{name: "foreground payload", message: each(protocol.SubmitJob, "f0", "", "%02100d")},
	{name: "joined", message: each(protocol.SubmitJob, "f0", "one", "")},
	{name: "joined once", message: each(protocol.SubmitJobBG, "f0", "%033d", ""), then: func(m *bench, c *Conn, i int) {
		m.step(c, each(protocol.SubmitJob, "f0", "%033d", "")(i))
	}},
	{name: "running", message: each(protocol.SubmitJobBG, "f0", "", ""), then: func(m *bench, c *Conn, _ int) {
		m.step(c, request(protocol.CanDoTimeout, "f0", "100000000"))
		m.step(c, grabJob)
		m.Fetches()
	}},
	{name: "one of many", message: each(protocol.SubmitJobBG, "f0", "", ""), then: others},
	{name: "delayed one of many", message: each(protocol.SubmitJobEpoch, "f0", "", "1900000000", ""), then: others},
	{name: "functions", message: each(protocol.CanDo, "%08d")},
	{name: "function's jobs", message: each(protocol.SubmitJobBG, "%08d", "one", "")},
}

// others is many jobs that have come and gone before the next one.
func others(m *bench, _ *Conn, _ int) { m.last.Seq += 1000 }

// each is a message of a type, whose arguments may be for fmt.
func each(t protocol.Type, args ...string) func(int) protocol.Message {
	return func(i int) protocol.Message {
		with := make([]string, len(args))
		for at, arg := range args {
			if with[at] = arg; strings.Contains(arg, "%") {
				with[at] = fmt.Sprintf(arg, i)
			}
		}
		return request(t, with...)
	}
}

// TestMemoryIsCounted: whatever peers have the machine keep, it takes no more
// than what it counts for. A limit on memory is worth nothing otherwise.
func TestMemoryIsCounted(t *testing.T) {
	const n = 20_000
	for _, l := range loads {
		m := newBench()
		m.now = m.now.Add(time.Second)
		m.cfg.PayloadMemory = l.payloads
		client := m.worker(1)
		before, counted := liveHeap(), m.memory
		for i := range n {
			if m.step(client, l.message(i)); l.then != nil {
				l.then(m, client, i)
			}
		}
		takes := float64(liveHeap()-before) / n
		counts := float64(m.memory-counted+m.payloadBytes) / n
		t.Logf("%s: %.0f bytes each, counted as %.0f", l.name, takes, counts)
		if takes > counts {
			t.Errorf("%s: each takes %.0f bytes, and counts for %.0f", l.name, takes, counts)
		}
		runtime.KeepAlive(m)
	}
}
