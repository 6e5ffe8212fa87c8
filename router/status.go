package router

import (
	"strconv"

	"gearbolt/protocol"
)

// getStatus is GET_STATUS: handle, known, running, numerator, denominator.
// For a handle that none can be the connection is closed, as in gearmand.
func (m *Machine) getStatus(c *Conn) {
	handle := protocol.CString(m.args.Arg[0])
	if len(handle) > protocol.MaxHandle {
		m.close(c)
		return
	}
	j := m.jobByHandle(handle)
	if j != nil && j.state == pending {
		j = nil // nobody has been told of it
	}
	start := len(m.arena)
	m.arena = protocol.AppendHeader(m.arena, protocol.Res, protocol.StatusRes, 0)
	m.arena = append(m.arena, handle...)
	m.arena = m.appendState(m.arena, j)
	m.arena = protocol.FinishPacket(m.arena, start)
	m.say(c, start, nil)
}

// getStatusUnique is GET_STATUS_UNIQUE: the job of any function that became
// known last by that unique id, and how many foreground clients wait for it. A job submitted
// with "-" has no unique id to be found by.
func (m *Machine) getStatusUnique(c *Conn) {
	unique := protocol.CString(m.args.Arg[0])
	if len(unique) > protocol.MaxUnique {
		m.close(c)
		return
	}
	j := m.uniques.find(unique)
	clients := 0
	if j != nil {
		clients = m.audience(j)
	}
	start := len(m.arena)
	m.arena = protocol.AppendHeader(m.arena, protocol.Res, protocol.StatusResUnique, 0)
	m.arena = append(m.arena, unique...)
	m.arena = m.appendState(m.arena, j)
	m.arena = strconv.AppendInt(append(m.arena, 0), int64(clients), 10)
	m.arena = protocol.FinishPacket(m.arena, start)
	m.say(c, start, nil)
}

// appendState appends known, running, numerator and denominator, each behind a
// NUL, of a job or of none.
func (m *Machine) appendState(dst []byte, j *job) []byte {
	if j == nil {
		return append(dst, "\x000\x000\x000\x000"...)
	}
	var numerator, denominator uint32
	if j.ties != 0 {
		t := m.ties.at(j.ties)
		numerator, denominator = t.numerator, t.denominator
	}
	dst = append(dst, 0, '1', 0, flag(j.state == running), 0)
	dst = strconv.AppendUint(dst, uint64(numerator), 10)
	dst = append(dst, 0)
	return strconv.AppendUint(dst, uint64(denominator), 10)
}

func flag(b bool) byte {
	if b {
		return '1'
	}
	return '0'
}

// optionReq is OPTION_REQ. "exceptions" is the only option there is; its name
// is echoed as it came.
func (m *Machine) optionReq(c *Conn) {
	name := protocol.CString(m.args.Arg[0])
	if len(name) > protocol.MaxOption || !protocol.EqualFold(name, "exceptions") {
		m.sayError(c, protocol.UnknownOption, protocol.TextUnknownOption)
		return
	}
	c.exceptions = true
	m.sayPacket(c, protocol.OptionRes, m.args.Arg[0])
}

// echo is ECHO_REQ: the same bytes come back.
func (m *Machine) echo(c *Conn, body []byte) {
	start := len(m.arena)
	m.arena = protocol.AppendHeader(m.arena, protocol.Res, protocol.EchoRes, len(body))
	m.say(c, start, body)
}
