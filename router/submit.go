package router

import (
	"time"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// A submission is what the packets of the SUBMIT family have in common. Its
// bytes are the packet's.
type submission struct {
	function, unique, reducer []byte
	payload                   []byte
	hasReducer                bool
	priority                  persist.Priority
	background                bool
	due                       time.Time // zero: at once
}

// submitJob is SUBMIT_JOB and its priorities and background forms.
func (m *Machine) submitJob(c *Conn, p persist.Priority, background bool) {
	m.submit(c, submission{
		function: m.args.Arg[0], unique: m.args.Arg[1], payload: m.args.Data,
		priority: p, background: background,
	})
}

// submitReduce is SUBMIT_REDUCE_JOB and SUBMIT_REDUCE_JOB_BACKGROUND. The
// aggregator that libgearman sends as a fourth argument means nothing.
func (m *Machine) submitReduce(c *Conn, background bool) {
	if len(m.args.Arg[2]) > protocol.MaxReducer {
		m.sayError(c, protocol.ArgumentTooLarge, protocol.TextUniqueTooLarge)
		return
	}
	m.submit(c, submission{
		function: m.args.Arg[0], unique: m.args.Arg[1], reducer: m.args.Arg[2], payload: m.args.Data,
		hasReducer: len(m.args.Arg[2]) > 0, priority: persist.Normal, background: background,
	})
}

// lastEpoch is the latest start that is kept as it is, in Unix seconds; a later
// one, far beyond any use, is taken for it.
const lastEpoch = 9_000_000_000

// submitEpoch is SUBMIT_JOB_EPOCH: seconds since 1970, or anything else to run
// at once. Like gearmand, the connection is closed without a word for a number
// beyond 64 bits.
func (m *Machine) submitEpoch(c *Conn) {
	seconds, ok := protocol.Int(m.args.Arg[2])
	if !ok {
		m.close(c)
		return
	}
	due := time.Unix(min(seconds, lastEpoch), 0)
	if !due.After(m.clock.wall()) {
		due = time.Time{}
	}
	m.submit(c, submission{
		function: m.args.Arg[0], unique: m.args.Arg[1], payload: m.args.Data,
		priority: persist.Normal, background: true, due: due,
	})
}

// submitSched is SUBMIT_JOB_SCHED: run once at the next minute (UTC) that
// matches. gearmand refuses it.
func (m *Machine) submitSched(c *Conn) {
	due, err := nextMatch(m.clock.wall(), m.args.Arg[2:7])
	if err != nil {
		m.sayError(c, protocol.InvalidArgument, err.Error())
		return
	}
	m.submit(c, submission{
		function: m.args.Arg[0], unique: m.args.Arg[1], payload: m.args.Data,
		priority: persist.Normal, background: true, due: due,
	})
}

// submit makes a job, or joins the one that has the same unique id.
func (m *Machine) submit(c *Conn, s submission) {
	if len(s.unique) > protocol.MaxUnique {
		m.sayError(c, protocol.ArgumentTooLarge, protocol.TextUniqueTooLarge)
		return
	}
	fn := m.functions[string(s.function)]
	claim := m.uniques.claimOf(s.unique, s.payload)
	if j := m.uniques.same(fn, &claim); j != nil {
		m.join(c, j, s.background)
		return
	}
	if why := m.refusal(fn, &s, &claim); why != noLimit {
		m.deny(c, why)
		return
	}
	if fn == nil {
		fn = m.function(s.function)
	}
	m.create(c, fn, &s, &claim)
}

// create makes a job of a submission.
func (m *Machine) create(c *Conn, fn *function, s *submission, claim *claim) {
	j := m.newJob(fn, s, claim)
	if s.background {
		m.storeJob(j)
		m.created(c, j, len(s.payload)+jobOverhead)
		return
	}
	m.uniques.publish(j)
	m.listen(c, j)
	m.sayCreated(c, j)
	m.enqueue(j)
}

// join attaches a submission to the job with the same unique id. Payload and
// priority of the later one are ignored, and so are limits on jobs. A foreground
// client listens from now on, and waits for the store only with a job that
// nobody has been told of; a background submission makes the job durable.
func (m *Machine) join(c *Conn, j *job, background bool) {
	if background {
		m.joinBackground(c, j)
		return
	}
	if why := m.clientRefusal(j); why != noLimit {
		m.deny(c, why)
		return
	}
	m.listen(c, j)
	if j.state == pending {
		m.created(c, j, 0)
	} else {
		m.sayCreated(c, j)
	}
}

// joinBackground makes j durable. Its payload, which has counted in
// Machine.memory until now, counts with what waits for the store.
func (m *Machine) joinBackground(c *Conn, j *job) {
	bytes := 0
	if !j.background {
		m.storeJob(j)
		bytes = int(j.size) + jobOverhead
	}
	m.created(c, j, bytes)
}

func (m *Machine) sayCreated(c *Conn, j *job) {
	start := len(m.arena)
	m.arena = m.appendCreated(m.arena, j)
	m.say(c, start, nil)
}

// appendCreated appends JOB_CREATED.
func (m *Machine) appendCreated(dst []byte, j *job) []byte {
	start := len(dst)
	dst = protocol.AppendHeader(dst, protocol.Res, protocol.JobCreated, 0)
	return protocol.FinishPacket(m.jobs.appendHandle(dst, j), start)
}
