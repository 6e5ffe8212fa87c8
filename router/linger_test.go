package router

import (
	"fmt"
	"testing"
	"time"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// TestLinger: deletes wait for each other for a moment, and no longer than until
// something is stored that somebody waits for.
func TestLinger(t *testing.T) {
	const linger = 5 * time.Millisecond
	m := New(noon, 1, Config{HandlePrefix: "H", Linger: linger})
	c := m.Connect(Peer{})
	submit := func() { says(m, c, request(protocol.SubmitJobBG, "f", "", "")) }
	work := func(n int) {
		says(m, c, request(protocol.GrabJob))
		says(m, c, request(protocol.WorkComplete, fmt.Sprintf("H:1-%d", n), ""))
	}
	commit := func(now time.Time, want ...persist.Kind) {
		t.Helper()
		var kinds []persist.Kind
		for _, c := range m.Changes() {
			kinds = append(kinds, c.Kind)
		}
		if fmt.Sprint(kinds) != fmt.Sprint(want) {
			t.Fatalf("commits %v, want %v", kinds, want)
		}
		if len(kinds) > 0 {
			m.Committed(now, nil)
		}
	}
	says(m, c, request(protocol.CanDo, "f"))
	submit()
	submit()
	submit()
	commit(noon, persist.PutJob, persist.PutJob, persist.PutJob)
	work(1)
	commit(noon)
	work(2)
	commit(noon)
	if next := m.Next(); !next.Equal(noon.Add(linger)) || m.Stored() {
		t.Fatalf("the machine is next due at %v, and has all stored: %v", next, m.Stored())
	}
	m.Tick(noon.Add(linger))
	commit(noon.Add(linger), persist.DeleteJob, persist.DeleteJob)
	work(3)
	commit(noon.Add(linger))
	submit()
	commit(noon.Add(linger), persist.DeleteJob, persist.PutJob)
	m.Tick(noon.Add(time.Second))
	work(4)
	commit(noon.Add(time.Second), persist.DeleteJob)

	// The disk was slow: those who are answered now come first.
	submit()
	commit(noon.Add(time.Second), persist.PutJob)
	submit()
	m.Changes()
	work(5)
	m.Committed(noon.Add(2*time.Second), nil)
	commit(noon.Add(2 * time.Second))
	submit()
	commit(noon.Add(2*time.Second), persist.DeleteJob, persist.PutJob)
}
