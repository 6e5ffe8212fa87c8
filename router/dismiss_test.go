package router

import (
	"testing"

	"gearbolt/protocol"
)

// A connection that is dismissed piece by piece is handed nothing meanwhile,
// though it sleeps; what ran on it and what comes meanwhile goes to others.
func TestDismissedConnectionIsHandedNothing(t *testing.T) {
	m := newBench()
	lost, client := m.worker(10), m.Connect(Peer{})
	m.step(client, request(protocol.SubmitJobBG, "f0", "", "runs"))
	m.step(lost, grabJob)
	m.step(lost, preSleep)
	if more := m.Dismiss(m.now, lost, 4); !more {
		t.Fatal("all of ten functions are gone with the first four")
	}
	m.step(client, request(protocol.SubmitJobBG, "f9", "", "comes"))
	m.step(client, request(protocol.SubmitJobBG, "f0", "", "comes"))
	if lost.sleep == woken || lost.holding.n != 1 {
		t.Fatal("the lost connection was given more to do")
	}
	for m.Dismiss(m.now, lost, 4) {
		if err := m.check(); err != nil {
			t.Fatal(err)
		}
	}
	m.Disconnect(m.now, lost)
	if err := m.check(); err != nil {
		t.Fatal(err)
	}
	other := m.worker(10)
	for range 3 {
		m.step(other, grabJob)
	}
	if other.holding.n != 3 {
		t.Fatalf("%d of three jobs are run by the worker that is left", other.holding.n)
	}
}
