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
	changes []persist.Change
	jobs    []*job  // beside changes: the job that a PutJob makes durable
	replies []reply // in the order of their places on each connection
}

// A reply waits for its batch. Without a job and a limit it says OK.
type reply struct {
	conn  *Conn
	place uint64
	job   *job           // says JOB_CREATED, or ERROR if the store refuses the job
	bytes int            // what it counts in conn.uncommitted and Machine.uncommitted
	at    int            // of the change in the batch
	limit *persist.Limit // of "maxqueue", which says OK, or ERR if the store refuses it
}

func (b *batch) reset() {
	clear(b.changes)
	clear(b.jobs)
	clear(b.replies)
	b.changes, b.jobs, b.replies = b.changes[:0], b.jobs[:0], b.replies[:0]
}

// store adds a change to what the next commit takes.
func (m *Machine) store(c persist.Change, j *job) {
	m.gathering.changes = append(m.gathering.changes, c)
	m.gathering.jobs = append(m.gathering.jobs, j)
}

// storeJob has a background job stored. Its record is a copy where the job can
// change meanwhile, which a pending one cannot.
func (m *Machine) storeJob(j *job) {
	record := &j.Job
	if j.state != pending {
		dup := j.Job
		record = &dup
	}
	j.kept, j.put, j.putAt = true, m.gathering, len(m.gathering.changes)
	m.store(persist.Change{Kind: persist.PutJob, Job: record}, j)
}

// unstore has the store forget a job that is finished.
func (m *Machine) unstore(j *job) {
	if j.kept {
		m.store(persist.Change{Kind: persist.DeleteJob, ID: j.ID}, nil)
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
	if j.put == nil {
		m.sayCreated(c, j)
		return
	}
	m.await(j.put, reply{conn: c, job: j, at: j.putAt, bytes: bytes})
}

// await has a reply wait for its batch. It counts against the connection, so
// that one that asks faster than the store answers can be slowed down.
func (m *Machine) await(b *batch, r reply) {
	r.place = m.reserve(r.conn)
	r.bytes += replyOverhead
	r.conn.uncommitted += r.bytes
	m.uncommitted += int64(r.bytes)
	b.replies = append(b.replies, r)
}

// answered answers an admin command with OK when the change that was stored
// last is on stable storage, which for a limit may be an ERR.
func (m *Machine) answered(c *Conn, limit *persist.Limit) {
	m.await(m.gathering, reply{conn: c, at: len(m.gathering.changes) - 1, limit: limit})
}

// Changes returns what is to be stored now, or nil: nothing, or the last batch
// is still with the store. Who takes a batch hands it to the store and then
// calls [Machine.Committed]. The changes are readable, and unchanged, until
// then.
func (m *Machine) Changes() []persist.Change {
	if m.committing != nil || len(m.gathering.changes) == 0 {
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
	b := m.committing
	why := b.why(refused)
	for i, j := range b.jobs {
		m.settle(j, b.changes[i], why[i])
	}
	for _, r := range b.replies {
		m.reply(r, why)
	}
	for i, j := range b.jobs {
		if j != nil && why[i] == nil {
			m.admit(j)
		}
	}
	b.reset()
	m.committing, m.spare = nil, b
}

// why lists the refusals by change.
func (b *batch) why(refused *persist.RefusedError) map[int]error {
	if refused == nil {
		return nil
	}
	why := make(map[int]error, len(refused.Refused))
	for _, r := range refused.Refused {
		why[r.Index] = r.Err
	}
	return why
}

// settle notes what became of one change.
func (m *Machine) settle(j *job, c persist.Change, err error) {
	if j != nil {
		j.put = nil
	}
	switch {
	case err == nil:
	case j != nil:
		m.refuse(j)
	case c.Kind != persist.SetLimit:
		m.owe(c) // house law 2
	}
}

// refuse takes back a background job that the store did not take: as far as
// anybody knows it never was. A job that foreground clients wait for stays
// theirs.
func (m *Machine) refuse(j *job) {
	j.kept, j.background = false, false
	switch {
	case j.state == pending:
		m.forget(j)
	case j.state == queued && j.listeners.n == 0:
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
		if j := m.jobs[c.ID]; j != nil {
			c.Attempts = j.Attempts
		}
		m.store(c, nil)
	}
	m.owed = m.owed[:0]
}

// reply says what waited for the commit.
func (m *Machine) reply(r reply, why map[int]error) {
	r.conn.uncommitted -= r.bytes
	m.uncommitted -= int64(r.bytes)
	start, err := len(m.arena), why[r.at]
	if r.limit != nil {
		m.settleLimit(*r.limit, err)
	}
	switch {
	case r.job != nil && err == nil:
		m.arena = appendCreated(m.arena, r.job)
	case r.job != nil:
		m.arena = protocol.AppendError(m.arena, protocol.QueueError, refusalText(err))
	case err == nil || r.limit == nil:
		m.arena = append(m.arena, textOK...)
	default:
		m.arena = append(m.arena, "ERR QUEUE_ERROR The+setting+could+not+be+stored\r\n"...)
	}
	m.fill(r.conn, r.place, start, nil)
}

// refusalText tells a submitter why its job was refused.
func refusalText(err error) string {
	if errors.Is(err, persist.ErrTooLarge) {
		return "The job is too large to be stored"
	}
	return "The job could not be stored: no space left"
}

// admit lets a job that is now durable wait for its time or for a worker.
func (m *Machine) admit(j *job) {
	if j.state == done {
		return
	}
	m.keepPayload(j)
	if j.state != pending {
		return
	}
	if j.Due.After(m.clock.wall()) {
		m.delay(j)
		return
	}
	m.enqueue(j)
}

// keepPayload keeps the payload of a stored job in memory while there is room
// for it.
func (m *Machine) keepPayload(j *job) {
	if m.payloadBytes+int64(j.size) <= m.cfg.PayloadMemory {
		m.payloadBytes += int64(j.size)
		return
	}
	j.Payload, j.onlyStored = nil, true
}

// delay lets a job wait for its time of day (SUBMIT_JOB_EPOCH,
// SUBMIT_JOB_SCHED).
func (m *Machine) delay(j *job) {
	j.state = delayed
	j.timer = &deadline{fire: func() {
		j.timer = nil
		m.enqueue(j)
	}}
	m.deadlines.setWall(j.timer, j.Due, m.clock.shift)
}

// Restore takes one thing that the store kept, before the first event.
func (m *Machine) Restore(c persist.Change) {
	switch c.Kind {
	case persist.SetLimit:
		put(m.limits.stored, *c.Limit)
		m.putLimit(*c.Limit)
	case persist.PutJob:
		j := m.addJob(m.function([]byte(c.Job.Function)), *c.Job, uniqueKey(c.Job.Unique, c.Job.Payload))
		j.background, j.kept = true, true
		m.admit(j)
	}
}

// A Fetch asks for a payload that is only in the store. Whoever reads it calls
// [Machine.Fetched].
type Fetch struct {
	Job   persist.JobID
	conn  *Conn
	place uint64
	how   assignment
	job   *job
}

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
	if found && f.job.worker == f.conn {
		m.arena = f.how.appendHead(m.arena, f.job, len(payload))
	} else {
		m.arena = protocol.AppendHeader(m.arena, protocol.Res, protocol.NoJob, 0)
		payload = nil
	}
	m.fill(f.conn, f.place, start, payload)
}

// Stored reports whether the store has all that it is to have.
func (m *Machine) Stored() bool {
	return m.committing == nil && len(m.gathering.changes) == 0 && len(m.owed) == 0
}
