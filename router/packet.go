package router

import (
	"errors"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// packet takes a packet that a server expects.
func (m *Machine) packet(c *Conn, msg protocol.Message) {
	if err := protocol.Split(msg.Type, msg.Body, &m.args); err != nil {
		m.malformed(c, msg.Type, err)
		return
	}
	switch msg.Type {
	// From clients.
	case protocol.SubmitJob:
		m.submitJob(c, persist.Normal, false)
	case protocol.SubmitJobHigh:
		m.submitJob(c, persist.High, false)
	case protocol.SubmitJobLow:
		m.submitJob(c, persist.Low, false)
	case protocol.SubmitJobBG:
		m.submitJob(c, persist.Normal, true)
	case protocol.SubmitJobHighBG:
		m.submitJob(c, persist.High, true)
	case protocol.SubmitJobLowBG:
		m.submitJob(c, persist.Low, true)
	case protocol.SubmitJobEpoch:
		m.submitEpoch(c)
	case protocol.SubmitJobSched:
		m.submitSched(c)
	case protocol.SubmitReduceJob:
		m.submitReduce(c, false)
	case protocol.SubmitReduceJobBG:
		m.submitReduce(c, true)
	case protocol.GetStatus:
		m.getStatus(c)
	case protocol.GetStatusUnique:
		m.getStatusUnique(c)

	// From clients and workers.
	case protocol.EchoReq:
		m.echo(c, msg.Body)
	case protocol.OptionReq:
		m.optionReq(c)
	case protocol.SetClientID:
		m.setClientID(c)
	default:
		m.workerPacket(c, msg)
	}
}

// workerPacket takes a packet that only workers send.
func (m *Machine) workerPacket(c *Conn, msg protocol.Message) {
	switch msg.Type {
	case protocol.CanDo:
		m.canDo(c, 0)
	case protocol.CanDoTimeout:
		m.canDoTimeout(c)
	case protocol.CantDo:
		m.cantDo(c)
	case protocol.ResetAbilities:
		m.resetAbilities(c)
	case protocol.PreSleep:
		m.preSleep(c)
	case protocol.AllYours:
		m.allYours(c)
	case protocol.GrabJob:
		m.grab(c, assignment(protocol.JobAssign))
	case protocol.GrabJobUniq:
		m.grab(c, assignment(protocol.JobAssignUniq))
	case protocol.GrabJobAll:
		m.grab(c, assignment(protocol.JobAssignAll))
	case protocol.WorkData, protocol.WorkWarning:
		m.workData(c, msg)
	case protocol.WorkStatus:
		m.workStatus(c, msg)
	case protocol.WorkComplete, protocol.WorkFail:
		m.workEnd(c, msg)
	case protocol.WorkException:
		m.workException(c, msg)
	}
}

// malformed ends a connection whose packet cannot be taken apart. gearmand
// closes it without a word for an argument that is too large, and waits for
// ever for the NUL that is missing.
func (m *Machine) malformed(c *Conn, t protocol.Type, err error) {
	m.Count(PacketsMalformed, 1)
	if errors.Is(err, protocol.ErrArgTooLarge) {
		m.close(c)
		return
	}
	m.Refuse(c, protocol.InvalidPacket, t.String()+" has too few arguments")
}
