package peers

import (
	"net"
	"strings"
	"testing"
	"time"

	"gearbolt/protocol"
)

// Peers that begin a message and do not go on, or go on so slowly that it
// takes for ever. The server looks at what has begun every five seconds.

const (
	slowEach = 100 // of each kind

	tooLate = "\x00RES\x00\x00\x00\x13" // the beginning of an ERROR
)

// A slowKind is a way to be slow.
type slowKind struct {
	name string
	now  string // what is said at once
	then string // and what byte by byte
}

var slowKinds = []slowKind{
	{"header byte by byte", "", string(request(protocol.EchoReq, strings.Repeat("x", 100)))},
	{"header and silence", string(request(protocol.EchoReq, strings.Repeat("x", 100))[:protocol.HeaderSize]), ""},
	{"half a body", string(request(protocol.SubmitJob, "f", "", strings.Repeat("x", 200*kib))[:4*kib]), ""},
	{"a line without an end", "stat", strings.Repeat("u", 100)},
}

// slowly has a peer of each kind come n times, and say a byte now and then,
// until over is closed.
func slowly(n int, come func() net.Conn, over <-chan struct{}) (all []net.Conn) {
	var drip []func(i int)
	for range n {
		for _, k := range slowKinds {
			c := come()
			c.Write([]byte(k.now))
			all = append(all, c)
			if k.then != "" {
				drip = append(drip, func(i int) { c.Write([]byte{k.then[i]}) })
			}
		}
	}
	go func() {
		pause := time.NewTicker(time.Second)
		defer pause.Stop()
		for i := 0; ; i++ {
			for _, f := range drip {
				f(i)
			}
			select {
			case <-over:
				return
			case <-pause.C:
			}
		}
	}()
	return all
}

// Slow peers are told that their time is over, and lose their connections.
func TestSlowPeers(t *testing.T) {
	s := launch(t, "--read-timeout", "2s")
	over := make(chan struct{})
	defer close(over)
	s.beside(func() {
		all := slowly(slowEach, s.bad, over)
		for i, c := range all {
			if said := told(c); !strings.HasPrefix(said, tooLate) || !strings.HasSuffix(said, "read-timeout") {
				t.Fatalf("%s is answered with %q", slowKinds[i%len(slowKinds)].name, said)
			}
			c.Close()
		}
	})
	s.awaitCount("connections_cut_read_timeout", slowEach*len(slowKinds))
	s.settles()
}

// Slow peers hold all the connections that there may be. Where nothing bounds
// their time they keep them; that is what the bound is for.
func TestSlowPeersKeepOthersOut(t *testing.T) {
	t.Parallel()
	limits := []string{"--max-connections", "8", "--read-timeout"}
	bounded, control := launch(t, append(limits, "2s")...), launch(t, append(limits, "0")...)
	over := make(chan struct{})
	defer close(over)
	for _, s := range []*stage{bounded, control} {
		slowly(2, s.admitted, over)
		if said := told(s.bad()); !strings.Contains(said, "max-connections is reached") {
			t.Fatalf("a ninth connection is answered with %q", said)
		}
	}
	bounded.await("there is room again", func() bool {
		c := bounded.bad()
		defer c.Close()
		c.Write([]byte("version\n"))
		c.SetReadDeadline(time.Now().Add(time.Second))
		b := make([]byte, 2)
		n, _ := c.Read(b)
		return string(b[:n]) == "OK"
	})
	bounded.awaitCount("connections_cut_read_timeout", 8)
	if said := told(control.bad()); !strings.Contains(said, "max-connections is reached") {
		t.Errorf("without a bound, a ninth connection is answered with %q", said)
	}
}
