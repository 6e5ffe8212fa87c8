package router

import (
	"bytes"
	"testing"

	"gearbolt/protocol"
)

// A job that ends while the store is about to keep it is still the one whose
// submitter hears JOB_CREATED, though others have come meanwhile that could lie
// in its place; then its place is free.
func TestJobKeepsItsPlaceInABatch(t *testing.T) {
	m := New(noon, 1, Config{HandlePrefix: "H", PayloadMemory: 1 << 20})
	caller, joiner, worker := m.Connect(Peer{}), m.Connect(Peer{}), m.Connect(Peer{})
	step := func(c *Conn, msg protocol.Message) {
		t.Helper()
		if m.Step(noon, c, msg); m.check() != nil {
			t.Fatal(m.check())
		}
	}
	step(worker, request(protocol.CanDo, "f"))
	step(caller, request(protocol.SubmitJob, "f", "id", "first"))
	step(worker, grabJob)
	step(joiner, request(protocol.SubmitJobBG, "f", "id", "first"))
	m.Changes()
	step(worker, request(protocol.WorkComplete, "H:1-1", "result"))
	for range 2 * slabSize {
		step(caller, request(protocol.SubmitJob, "f", "", "other"))
	}
	m.Sends()
	m.Committed(noon, nil)
	if err := m.check(); err != nil {
		t.Fatal(err)
	}
	want := protocol.Append(nil, protocol.Res, protocol.JobCreated, []byte("H:1-1"))
	if s := m.Sends(); len(s) != 1 || s[0].Conn != joiner || !bytes.Equal(s[0].Head, want) {
		t.Errorf("the store's answer leads to %v", s)
	}
	if ref, _ := m.jobs.add(); ref != 1 {
		t.Errorf("the job's place is not free: a new one lies at %d", ref)
	}
}

// A payload that comes back from the store when its job is no more is for
// nobody, whatever lies in the job's place by then.
func TestPayloadOfAJobThatIsNoMore(t *testing.T) {
	m := newBench()
	m.cfg.PayloadMemory = 0
	worker, client := m.worker(1), m.Connect(Peer{})
	m.step(client, request(protocol.SubmitJobBG, "f0", "", "old"))
	m.Step(m.now, worker, grabJob)
	fetches := m.Fetches()
	m.step(client, line("cancel job H:1-1"))
	m.step(client, request(protocol.SubmitJob, "f0", "", "new"))
	if len(fetches) != 1 || fetches[0].Size() != len("old") {
		t.Fatalf("to be read: %v", fetches)
	}
	m.Step(m.now, worker, grabJob)
	m.Sends()
	m.Fetched(m.now, fetches[0], []byte("old"), true)
	var said []byte
	for _, s := range m.Sends() {
		said = append(append(said, s.Head...), s.Body...)
	}
	want := protocol.Append(nil, protocol.Res, protocol.NoJob)
	want = protocol.Append(want, protocol.Res, protocol.JobAssign, []byte("H:1-2"), []byte("f0"), []byte("new"))
	if !bytes.Equal(said, want) {
		t.Errorf("the worker is told %q", said)
	}
}
