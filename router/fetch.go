package router

import (
	"time"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// A Fetch asks for a payload that is only in the store. Whoever reads it calls
// [Machine.Fetched].
type Fetch struct {
	Job   persist.JobID
	conn  *Conn
	place uint64
	how   assignment
	size  uint32
}

// Size is how many bytes the payload has.
func (f *Fetch) Size() int { return int(f.size) }

// Fetches returns the payloads to be read, as [Machine.Sends] returns what is
// to be said.
func (m *Machine) Fetches() []Fetch {
	f := m.fetches
	m.fetches = nil
	return f
}

// Fetched is the store's answer to a Fetch. When the worker has lost the job
// meanwhile (it was cancelled, or its time is up), whether the store still has
// the payload (found) or not, the worker is told that there is no job.
func (m *Machine) Fetched(now time.Time, f Fetch, payload []byte, found bool) {
	m.advance(now)
	start := len(m.arena)
	if j := m.jobs.of(f.Job); found && j != nil && m.workerOf(j) == f.conn {
		m.arena = m.appendAssign(m.arena, j, f.how, len(payload))
	} else {
		m.arena = protocol.AppendHeader(m.arena, protocol.Res, protocol.NoJob, 0)
		payload = nil
	}
	m.fill(f.conn, f.place, start, payload)
}
