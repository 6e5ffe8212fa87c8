package peers

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gearbolt/integration/judge"
	"gearbolt/protocol"
)

// Peers that announce large packets, and send them just fast enough not to be
// cut off for it, have all of the memory for such packets.

const (
	hoarders = 48
	announce = 60 * mib
	hoard    = 600 * kib // takes 1 MiB of the 48 that --read-memory 64MiB has for packets
)

// hoarded has them come, and send a little every second until over is closed.
func (s *stage) hoarded(over <-chan struct{}) (all []net.Conn) {
	s.Helper()
	start := protocol.AppendHeader(nil, protocol.Req, protocol.EchoReq, announce)
	for range hoarders {
		c := s.bad()
		c.Write(append(start, make([]byte, hoard)...))
		all = append(all, c)
	}
	go func() {
		pause := time.NewTicker(500 * time.Millisecond)
		defer pause.Stop()
		for {
			for _, c := range all {
				c.Write(make([]byte, kib))
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

// Large packets of others arrive nevertheless: as many of those who hoard as it
// takes are told why, and lose their connections. Where there is memory for all,
// nobody does.
func TestHoarders(t *testing.T) {
	over := make(chan struct{})
	defer close(over)
	s, control := launch(t, "--read-memory", "64MiB"), launch(t, "--read-memory", "1GiB")
	kept := control.hoarded(over)
	s.beside(func() {
		all := s.hoarded(over)
		large := strings.Repeat("x", 8*mib)
		for range 3 {
			l := s.line()
			if args, err := l.Ask(protocol.EchoRes, protocol.EchoReq, large); err != nil || args[0] != large {
				t.Fatalf("a large packet is answered with %.100q, %v", args, err)
			}
			l.Close()
		}
		cut := s.counted("connections_cut_read_memory")
		if cut == 0 || cut == hoarders {
			t.Errorf("%d of %d were cut off", cut, hoarders)
		}
		t.Logf("%d of %d were cut off", cut, hoarders)
		s.heard(all, cut)
	})
	control.await("with memory for all, all are there", func() bool { return control.connected() == hoarders })
	if n := control.counted("connections_cut_read_memory"); n != 0 {
		t.Errorf("with memory for all, %d were cut off", n)
	}
	for _, c := range kept {
		c.Close()
	}
	s.settles()
}

// heard has all close, so many of whom have been told why. Those who have not
// are given time to hear it.
func (s *stage) heard(all []net.Conn, told int) {
	s.Helper()
	var n atomic.Int64
	var peers sync.WaitGroup
	for _, c := range all {
		peers.Go(func() {
			defer c.Close()
			c.SetReadDeadline(time.Now().Add(2 * time.Second))
			if p, err := judge.NewLine(c).Read(); err == nil && strings.Contains(p.String(), "too slowly while others wait") {
				n.Add(1)
			}
		})
	}
	peers.Wait()
	if n := int(n.Load()); n != told {
		s.Errorf("%d were told why, %d were cut off", n, told)
	}
}
