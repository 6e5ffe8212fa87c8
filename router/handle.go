package router

import (
	"bytes"
	"strconv"

	"gearbolt/persist"
	"gearbolt/protocol"
)

type jobNumber = persist.JobID

// An origin is what the handles of jobs begin with that were submitted to the
// same start of the server, and to the same handle prefix.
type origin struct {
	prefix string
	epoch  uint64
	seat   seat // in origins
	jobs   int  // that have it
}

// origins is the origins of all jobs.
type origins struct {
	seats[origin]
	last *origin // the one that was entered last; it stays when no job has it
}

// enter returns the origin for one job more. It is one for as many jobs in a row
// as have the same.
func (s *origins) enter(prefix string, epoch uint64) seat {
	if o := s.last; o == nil || o.epoch != epoch || o.prefix != prefix {
		s.last = &origin{prefix: prefix, epoch: epoch}
		s.last.seat = s.take(s.last)
		if o != nil && o.jobs == 0 {
			s.give(o.seat)
		}
	}
	s.last.jobs++
	return s.last.seat
}

// leave is one job less that has it.
func (s *origins) leave(at seat) {
	o := s.at[at]
	if o.jobs--; o.jobs == 0 && o != s.last {
		s.give(at)
	}
}

// appendHandle appends the job's handle.
func (t *jobs) appendHandle(dst []byte, j *job) []byte {
	o := t.origins.at[j.origin]
	dst = append(dst, o.prefix...)
	dst = append(dst, ':')
	dst = strconv.AppendUint(dst, o.epoch, 10)
	dst = append(dst, '-')
	return strconv.AppendUint(dst, j.seq, 10)
}

// jobByHandle finds the job that a handle names. A NUL behind the handle, which
// some clients send, is not part of it.
func (m *Machine) jobByHandle(handle []byte) *job {
	handle = protocol.CString(handle)
	prefix, id, ok := parseHandle(handle)
	if !ok {
		return nil
	}
	j := m.jobs.of(id)
	if j == nil || m.jobs.origins.at[j.origin].prefix != string(prefix) {
		return nil
	}
	return j
}

// parseHandle takes a handle apart: prefix, colon, epoch, hyphen, number.
func parseHandle(h []byte) (prefix []byte, id jobNumber, ok bool) {
	colon, hyphen := bytes.LastIndexByte(h, ':'), bytes.LastIndexByte(h, '-')
	if colon < 0 || hyphen < colon {
		return nil, id, false
	}
	var ok1, ok2 bool
	id.Epoch, ok1 = parseNumber(h[colon+1 : hyphen])
	id.Seq, ok2 = parseNumber(h[hyphen+1:])
	return h[:colon], id, ok1 && ok2
}

// parseNumber reads what appendHandle writes and nothing else: no sign, no
// leading zero, no more than 19 digits.
func parseNumber(b []byte) (n uint64, ok bool) {
	if len(b) == 0 || len(b) > 19 || b[0] == '0' {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, true
}
