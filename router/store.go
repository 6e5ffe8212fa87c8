package router

import (
	"errors"
	"time"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// owedPause is how long a delete that the store refused waits before it is
// offered again.
const owedPause = 250 * time.Millisecond

// A batch is what one commit stores, and what is said once it has.
type batch struct {
	number  batchNumber
	changes []persist.Change
	jobs    []jobRef      // beside changes: the job that a PutJob makes durable
	records []persist.Job // memory for what changes point to
	replies []reply       // in the order of their places on each connection
	urgent  bool          // somebody waits for it
}

// A batchNumber tells the two batches that there are apart: 1 and 2.
type batchNumber uint8

// A reply waits for its batch. Without a job and a limit it says OK.
type reply struct {
	conn  *Conn
	place uint64
	job   jobRef         // says JOB_CREATED, or ERROR if the store refuses the job
	bytes int            // what it counts in conn.uncommitted and Machine.uncommitted
	at    int            // without a job: of the change in the batch
	limit *persist.Limit // of "maxqueue", which says OK, or ERR if the store refuses it
}

// batchLimit is for how many changes the memory of a batch is kept for the next
// one.
const batchLimit = 4096

func (b *batch) reset() {
	if cap(b.changes) > batchLimit || cap(b.replies) > batchLimit {
		*b = batch{number: b.number}
		return
	}
	b.urgent = false
	clear(b.changes)
	clear(b.jobs)
	clear(b.replies)
	clear(b.records)
	b.changes, b.jobs, b.replies, b.records = b.changes[:0], b.jobs[:0], b.replies[:0], b.records[:0]
}

// store adds a change to what the next commit takes.
func (m *Machine) store(c persist.Change, job jobRef) {
	m.gathering.changes = append(m.gathering.changes, c)
	m.gathering.jobs = append(m.gathering.jobs, job)
}

// storeJob has a background job stored.
func (m *Machine) storeJob(j *job) {
	m.setBackground(j, true)
	j.put = m.gathering.number
	m.store(persist.Change{Kind: persist.PutJob, Job: m.gathering.record(m.record(j))}, j.ref)
}

// recordBlock is for how many records memory is got at a time.
const recordBlock = 64

// record keeps a record for as long as the batch needs it.
func (b *batch) record(p persist.Job) *persist.Job {
	if len(b.records) == cap(b.records) {
		b.records = make([]persist.Job, 0, recordBlock)
	}
	b.records = append(b.records, p)
	return &b.records[len(b.records)-1]
}

// putOf is the batch that stores the job, or nil.
func (m *Machine) putOf(j *job) *batch {
	switch {
	case j.put == 0:
		return nil
	case j.put == m.gathering.number:
		return m.gathering
	}
	return m.committing
}

// unstore has the store forget a job that is finished.
func (m *Machine) unstore(j *job) {
	if j.background {
		m.store(persist.Change{Kind: persist.DeleteJob, ID: m.jobs.id(j)}, 0)
	}
}

// replyOverhead and jobOverhead are about what a reply that waits for the
// store, and a job beside its payload, cost in bytes.
const (
	replyOverhead = 256
	jobOverhead   = 512
)

// created answers a submission with JOB_CREATED: at once, or when the job is
// on stable storage (house law 1). bytes is what the job costs, of the
// submission that made it.
func (m *Machine) created(c *Conn, j *job, bytes int) {
	if j.put == 0 {
		m.sayCreated(c, j)
		return
	}
	m.await(m.putOf(j), reply{conn: c, job: j.ref, bytes: bytes})
}

// await has a reply wait for its batch. It counts against the connection, so
// that one that asks faster than the store answers can be slowed down.
func (m *Machine) await(b *batch, r reply) {
	r.place = m.reserve(r.conn)
	r.bytes += replyOverhead
	r.conn.uncommitted += r.bytes
	m.uncommitted += int64(r.bytes)
	b.urgent = true
	b.replies = append(b.replies, r)
}

// answered answers an admin command with OK when the change that was stored
// last is on stable storage, which for a limit may be an ERR.
func (m *Machine) answered(c *Conn, limit *persist.Limit) {
	m.await(m.gathering, reply{conn: c, at: len(m.gathering.changes) - 1, limit: limit})
}

// linger reports whether the next commit is to wait, and sees to its end.
func (m *Machine) linger() bool {
	if m.gathering.urgent || m.clock.now >= m.lingerUntil {
		return false
	}
	if m.lingerTimer.index == 0 {
		m.deadlines.set(&m.lingerTimer, m.lingerUntil)
	}
	return true
}

// Changes returns what is to be stored now, or nil: nothing, nothing yet, or the
// last batch is still with the store. Who takes a batch hands it to the store and then
// calls [Machine.Committed]. The changes are readable, and unchanged, until
// then.
func (m *Machine) Changes() []persist.Change {
	if m.committing != nil || len(m.gathering.changes) == 0 || m.linger() {
		return nil
	}
	m.committing, m.gathering, m.spare = m.gathering, m.spare, nil
	return m.committing.changes
}

// Uncommitted is about how many bytes wait for the store, replies included.
func (m *Machine) Uncommitted() int64 { return m.uncommitted }

// Committed is the store's answer to the last batch: nil, or the refusal of
// some of its changes. After any other error nobody knows what is stored; the
// machine is not told, says nothing, and the process ends.
func (m *Machine) Committed(now time.Time, refused *persist.RefusedError) {
	m.advance(now)
	m.lingerUntil = m.clock.now + int64(m.cfg.Linger)
	b := m.committing
	why, whyJob := b.why(refused)
	for i, job := range b.jobs {
		m.settle(job, b.changes[i], why[i])
	}
	for _, r := range b.replies {
		if r.job != 0 {
			m.replyCreated(r, whyJob[r.job])
		} else {
			m.replyOK(r, why[r.at])
		}
	}
	for i, job := range b.jobs {
		if job != 0 {
			m.leaveBatch(m.jobs.at(job), why[i])
		}
	}
	b.reset()
	m.committing, m.spare = nil, b
}

// why lists the refusals by change, and by the job that was to be stored.
func (b *batch) why(refused *persist.RefusedError) (why map[int]error, whyJob map[jobRef]error) {
	if refused == nil {
		return nil, nil
	}
	why, whyJob = make(map[int]error, len(refused.Refused)), make(map[jobRef]error)
	for _, r := range refused.Refused {
		why[r.Index] = r.Err
		if job := b.jobs[r.Index]; job != 0 {
			whyJob[job] = r.Err
		}
	}
	return why, whyJob
}

// settle notes what became of one change.
func (m *Machine) settle(job jobRef, c persist.Change, err error) {
	switch {
	case err == nil:
	case job != 0 && errors.Is(err, persist.ErrTooLarge):
		m.Count(JobsTooLargeToStore, 1)
		m.refuse(m.jobs.at(job))
	case job != 0:
		m.Count(JobsNotStored, 1)
		m.refuse(m.jobs.at(job))
	case c.Kind != persist.SetLimit:
		m.Count(DeletesPutOff, 1)
		m.owe(c) // house law 2
	}
}

// refuse takes back a background job that the store did not take: as far as
// anybody knows it never was. A job that foreground clients wait for stays
// theirs.
func (m *Machine) refuse(j *job) {
	m.setBackground(j, false)
	switch {
	case j.state == pending:
		m.forget(j)
	case j.state == queued && m.audience(j) == 0:
		m.drop(j)
	}
}

func (m *Machine) owe(c persist.Change) {
	m.owed = append(m.owed, c)
	if m.owedTimer.index == 0 {
		m.deadlines.set(&m.owedTimer, m.clock.now+int64(owedPause))
	}
}

// offerOwed offers the store again what it refused to forget, or how often a
// job has been tried by now, which may be more than it was then.
func (m *Machine) offerOwed() {
	for _, c := range m.owed {
		if j := m.jobs.of(c.ID); j != nil {
			c.Attempts = j.attempts
		}
		m.store(c, 0)
	}
	m.owed = nil
}

// replyCreated answers a submission that has waited for the commit.
func (m *Machine) replyCreated(r reply, err error) {
	start := len(m.arena)
	if err == nil {
		m.arena = m.appendCreated(m.arena, m.jobs.at(r.job))
	} else {
		m.arena = protocol.AppendError(m.arena, protocol.QueueError, refusalText(err))
	}
	m.answer(r, start)
}

// replyOK answers an admin command that has waited for the commit. A delete
// that was refused is owed, and so no reason not to say OK.
func (m *Machine) replyOK(r reply, err error) {
	if r.limit != nil {
		m.settleLimit(*r.limit, err)
	}
	start := len(m.arena)
	if err == nil || r.limit == nil {
		m.arena = append(m.arena, textOK...)
	} else {
		m.arena = append(m.arena, "ERR QUEUE_ERROR The+setting+could+not+be+stored\r\n"...)
	}
	m.answer(r, start)
}

// answer says, at the place of a reply that waits no more, what was appended
// to the arena from start on.
func (m *Machine) answer(r reply, start int) {
	r.conn.uncommitted -= r.bytes
	m.uncommitted -= int64(r.bytes)
	m.fill(r.conn, r.place, start, nil)
}

// refusalText tells a submitter why its job was refused.
func refusalText(err error) string {
	if errors.Is(err, persist.ErrTooLarge) {
		return "The job is too large to be stored"
	}
	return "The job could not be stored: no space left"
}

// leaveBatch ends what a job has to do with its batch, whose answer err is.
func (m *Machine) leaveBatch(j *job, err error) {
	j.put = 0
	switch {
	case j.state == done:
		m.dropJob(j)
	case err == nil:
		m.admit(j)
	}
}

// admit lets a job that is now durable wait for its time or for a worker.
func (m *Machine) admit(j *job) {
	m.keepPayload(j)
	if j.state != pending {
		return
	}
	m.uniques.publish(j)
	if j.ties != 0 && m.ties.at(j.ties).due.After(m.clock.wall()) {
		m.delay(j)
		return
	}
	m.isDue(j)
}

// keepPayload keeps the payload of a stored job in memory while there is room
// for it.
func (m *Machine) keepPayload(j *job) {
	if m.payloadBytes+int64(j.size) <= m.cfg.PayloadMemory {
		m.payloadBytes += int64(j.size)
		return
	}
	j.dropPayload()
}

// delay lets a job wait for its time of day (SUBMIT_JOB_EPOCH,
// SUBMIT_JOB_SCHED).
func (m *Machine) delay(j *job) {
	j.state = delayed
	t := m.ties.at(j.ties)
	t.timer.job = j.ref
	m.deadlines.setWall(&t.timer, t.due, m.clock.shift)
}

// isDue lets a job wait for a worker that has waited for its time, or need not.
func (m *Machine) isDue(j *job) {
	if j.ties != 0 {
		m.ties.at(j.ties).due = time.Time{}
		m.untie(j)
	}
	m.enqueue(j)
}

// Restore takes one thing that the store kept, before the first event.
func (m *Machine) Restore(c persist.Change) {
	switch c.Kind {
	case persist.SetLimit:
		put(m.limits.stored, *c.Limit)
		m.putLimit(*c.Limit)
	case persist.PutJob:
		m.admit(m.restoreJob(c.Job))
	}
}

// Stored reports whether the store has all that it is to have.
func (m *Machine) Stored() bool {
	return m.committing == nil && len(m.gathering.changes) == 0 && len(m.owed) == 0
}
