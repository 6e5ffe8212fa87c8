package peers

import (
	"net"
	"strings"
	"testing"
	"time"

	"gearbolt/protocol"
)

// What peers do not read is kept, where nothing bounds it: the same peers that
// are cut off elsewhere stay, and the server grows by what they do not read.
// Where each may have a great deal and all together little, those who let most
// wait are cut off, and the server does not grow.
func TestReadersThatAreNotBounded(t *testing.T) {
	t.Parallel()
	const peers, each = 10, 16 * mib // of which the kernel takes some four
	control := launch(t, "--outbox-limit", "1GiB", "--outbox-memory", "10GiB")
	together := launch(t, "--outbox-limit", "1GiB", "--packet-limit", "1MiB", "--outbox-memory", "8MiB")
	echoes := request(protocol.EchoReq, strings.Repeat("x", 64*kib))
	var open []net.Conn
	for range peers {
		c, d := control.bad(), together.bad()
		if offer(c, echoes, each) {
			t.Fatal("without a bound, a peer was cut off")
		}
		offer(d, echoes, each)
		open = append(open, c, d)
	}
	control.await("it has grown by half of what was not read", func() bool {
		return control.footprint().resident > control.before.resident+peers*each/2
	})
	if n := control.counted("connections_cut_outbox_limit") + control.counted("connections_cut_outbox_memory"); n != 0 {
		t.Errorf("without a bound, %d peers were cut off", n)
	}
	together.await("most are cut off", func() bool { return together.counted("connections_cut_outbox_memory") >= peers/2 })
	t.Logf("without a bound %v, before %v; with one for all together %v, before %v",
		control.footprint(), control.before, together.footprint(), together.before)
	if f := together.footprint(); f.resident > control.footprint().resident/2 {
		t.Errorf("with a bound for all together the server has %v", f)
	}
	for _, c := range open {
		c.Close()
	}
	began := time.Now()
	control.settles()
	t.Logf("memory was given back after %v", time.Since(began).Round(time.Second))
}
