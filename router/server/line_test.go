package server

import (
	"fmt"
	"testing"

	"gearbolt/protocol"
)

// Workers with more functions than are registered, and dropped, in one visit
// to the machine: when one is lost its job goes on.
func TestWorkersWithManyFunctionsAreLost(t *testing.T) {
	const functions = 3*muchToDrop + 1
	var all []byte
	for i := range functions {
		all = protocol.Append(all, protocol.Req, protocol.CanDo, fmt.Appendf(nil, "f%d", i))
	}
	story(t, Options{}, func(s *stage) {
		client := s.dial()
		var lost []*peer
		for i := range 3 {
			w := s.dial()
			w.write(string(all))
			handle := fmt.Sprintf("H:test:1-%d", i+1)
			client.send(protocol.SubmitJob, "f7", "", "x")
			client.expect(protocol.JobCreated, handle)
			w.send(protocol.GrabJob)
			w.expect(protocol.JobAssign, handle, "f7", "x")
			lost = append(lost, w)
		}
		heir := s.dial()
		heir.send(protocol.CanDo, "f7")
		for i, w := range lost {
			w.conn.Close()
			s.passes(0)
			heir.send(protocol.GrabJob)
			heir.expect(protocol.JobAssign, fmt.Sprintf("H:test:1-%d", i+1), "f7", "x")
		}
	})
}
