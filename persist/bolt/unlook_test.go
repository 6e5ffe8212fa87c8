package bolt

import (
	"bytes"
	"testing"

	"gearbolt/persist"
)

// TestUnlook: what was taken out of memory is read again, and a closed store
// is left alone.
func TestUnlook(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir()})
	id := persist.JobID{Epoch: s.Epoch(), Seq: 1}
	payload := bytes.Repeat([]byte("x"), 1000)
	answer := make(chan error, 1)
	s.Commit([]persist.Change{{Kind: persist.PutJob, Job: &persist.Job{ID: id, Function: "f", Payload: payload}}}, func(err error) { answer <- err })
	if err := <-answer; err != nil {
		t.Fatal(err)
	}
	s.Unlook()
	if got, err := s.Payload(id); err != nil || !bytes.Equal(got, payload) {
		t.Errorf("the payload has %d bytes, error %v", len(got), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s.Unlook()
}
