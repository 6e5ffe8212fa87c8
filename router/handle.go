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
}

// originOf returns the origin, which is one for as many jobs in a row as have
// the same.
func (m *Machine) originOf(prefix string, epoch uint64) *origin {
	if o := m.origin; o != nil && o.epoch == epoch && o.prefix == prefix {
		return o
	}
	m.origin = &origin{prefix, epoch}
	return m.origin
}

// appendHandle appends the job's handle.
func (j *job) appendHandle(dst []byte) []byte {
	dst = append(dst, j.origin.prefix...)
	dst = append(dst, ':')
	dst = strconv.AppendUint(dst, j.origin.epoch, 10)
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
	j := m.jobs.get(id)
	if j == nil || j.origin.prefix != string(prefix) {
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
