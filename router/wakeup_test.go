package router

import (
	"testing"

	"gearbolt/protocol"
)

// TestMoreWakeups: when the policy allows more workers to be awake, those that
// sleep over jobs are woken at once.
func TestMoreWakeups(t *testing.T) {
	m := New(noon, 1, Config{HandlePrefix: "H", WorkerWakeup: 1})
	for range 3 {
		w := m.Connect(Peer{})
		says(m, w, request(protocol.CanDo, "f"))
		says(m, w, request(protocol.PreSleep))
	}
	c := m.Connect(Peer{})
	for range 2 {
		says(m, c, request(protocol.SubmitJob, "f", "", ""))
	}
	m.Configure(noon, Config{HandlePrefix: "H"})
	if n := len(m.Sends()); n != 1 {
		t.Errorf("%d workers are woken, not one for the job that was left", n)
	}
}
