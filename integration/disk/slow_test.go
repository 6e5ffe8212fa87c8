package disk

import (
	"flag"
	"path/filepath"
	"testing"
	"time"

	"gearbolt/integration/device"
	"gearbolt/integration/harness"
	"gearbolt/integration/judge"
)

var stall = flag.Duration("stall", 0, "how long each disk is slow; 0: a few syncs")

const (
	// promptly bounds what ECHO, admin commands and calls take (p99) while a
	// sync takes as long or longer: whoever waits for it waits longer.
	promptly = 500 * time.Millisecond

	// growth bounds what the server's memory grows by, in bytes, while peers
	// send what they can: what waits for the disk, its copy in a transaction, and
	// the garbage that the server allows itself.
	growth = 192 << 20
)

// TestSlow has every flush of the disk take a while. Background jobs wait for
// it, and who sends more of them has to wait; nothing else does.
func TestSlow(t *testing.T) {
	for _, delay := range []time.Duration{50 * time.Millisecond, 500 * time.Millisecond, 5 * time.Second} {
		t.Run(delay.String(), func(t *testing.T) {
			device.Need(t, "mkfs.ext4")
			slowDisk(t, delay)
		})
	}
}

func slowDisk(t *testing.T, delay time.Duration) {
	base, err := device.Format(device.Ext4, 512<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	r, err := device.Record(base)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	// What is kept of jobs that are stored is not what is looked at.
	s := &slow{book: judge.New()}
	s.server = harness.GearboltAt(t, harness.FreeAddr(t), filepath.Join(r.Dir, "data"), "--payload-memory=8MiB", "--commit-memory=16MiB")
	s.book.Started()
	before := s.server.Memory(t, "RssAnon")
	r.Delay(delay)
	s.during(t, max(*stall, time.Second, delay+delay/2))
	grown := s.server.Memory(t, "RssAnon") - before
	r.Delay(0)
	s.peers.Wait()
	s.check(t, delay, grown)
	s.server.Kill() // it may still be busy with what peers have sent that are gone
	s.book.Died()
	s.server = harness.GearboltAt(t, s.server.Addr, s.server.DataDir)
	s.book.Started()
	look, err := s.book.Look(s.server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	judge.Report(t, s.book.Judge(&judge.After{Server: look}))
	s.server.Kill() // lets go of the disk
}

// check holds what was measured to what is promised.
func (s *slow) check(t *testing.T, delay time.Duration, grown int64) {
	t.Helper()
	t.Logf("p99 of ECHO %v (%d), of status %v (%d), of calls %v (%d); median of background jobs %v (%d); %.0f MiB flooded; memory %+.0f MiB",
		s.echoed.at(990), len(s.echoed.all), s.asked.at(990), len(s.asked.all), s.called.at(990), len(s.called.all),
		s.acked.at(500), len(s.acked.all), float64(s.flooded.Load())/(1<<20), float64(grown)/(1<<20))
	for name, l := range map[string]*latencies{"ECHO": &s.echoed, "status": &s.asked, "calls": &s.called} {
		if p99 := l.at(990); len(l.all) == 0 || delay >= promptly && p99 > promptly {
			t.Errorf("while syncs take %v, %d %s took %v (p99)", delay, len(l.all), name, p99)
		}
	}
	if first := s.acked.at(0); len(s.acked.all) == 0 || first < delay {
		t.Errorf("while syncs take %v, %d background jobs were acknowledged, one after %v", delay, len(s.acked.all), first)
	}
	if delay >= promptly && s.held.Load() == 0 {
		t.Errorf("while syncs take %v, the server took all that was sent, %d MiB", delay, s.flooded.Load()>>20)
	}
	if grown > growth {
		t.Errorf("while syncs take %v, the server's memory grew by %d MiB", delay, grown>>20)
	}
}
