package server

import (
	"testing"
	"time"

	"gearbolt/protocol"
)

// Only a pause of the kernel's length, behind what has no answer, shows that a
// peer waits for acknowledgements.
func TestPeersThatWaitForAcknowledgements(t *testing.T) {
	for _, test := range []struct {
		last     protocol.Type
		answered bool
		pause    time.Duration
		want     bool
	}{
		{protocol.WorkComplete, false, 43 * time.Millisecond, true},
		{protocol.WorkComplete, true, 43 * time.Millisecond, false},
		{protocol.PreSleep, false, 43 * time.Millisecond, false},
		{protocol.WorkComplete, false, 5 * time.Millisecond, false},
		{protocol.WorkFail, false, time.Second, false},
	} {
		c := new(conn)
		c.acknowledge(protocol.Message{Type: test.last}, test.answered)
		c.notePause(test.pause)
		if c.ackNow != test.want {
			t.Errorf("%+v: it shows: %v", test, c.ackNow)
		}
	}
}
