package router

import (
	"strings"
	"testing"

	"gearbolt/protocol"
)

// Before what an event has led to is taken, further events may follow, and none
// writes over the payload of a job that was handed out.
func TestPayloadStaysUntilItIsTaken(t *testing.T) {
	m := New(noon, 1, Config{HandlePrefix: "H"})
	w, c := m.Connect(Peer{}), m.Connect(Peer{})
	for _, msg := range []protocol.Message{request(protocol.CanDo, "f"), request(protocol.AllYours), request(protocol.GrabJob)} {
		m.Step(noon, w, msg)
	}
	m.Step(noon, c, request(protocol.SubmitJob, "f", "", "first"))
	m.Step(noon, c, line("cancel job H:1-1"))
	m.Step(noon, c, request(protocol.SubmitJob, "f", "", "other"))
	for _, s := range m.Sends() {
		if s.Conn == w && string(s.Body) != "first" {
			t.Errorf("the worker is handed %q", s.Body)
		}
	}
}

// The memory of a job that is no more is not kept for a much smaller one, which
// may stay for long.
func TestSmallJobsTakeNoLargeMemory(t *testing.T) {
	m := newBench()
	w, c := m.worker(1), m.Connect(Peer{})
	large := request(protocol.SubmitJob, "f0", "", strings.Repeat("x", 4000))
	for range 50 {
		m.step(c, large)
		m.step(w, grabJob)
		m.finish(w, nil)
		m.step(c, request(protocol.SubmitJobBG, "f1", "", "small"))
	}
	taken := 0
	for j := range m.jobs.sorted {
		taken += cap(j.text)
	}
	if taken > 50*64 {
		t.Errorf("fifty jobs of 5 bytes take %d", taken)
	}
}
