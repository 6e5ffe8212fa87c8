package router

import (
	"gearbolt/persist"
)

// A job is in one of these states; package comment: "A job's life".
type jobState uint8

const (
	pending jobState = iota // a background job that the store does not have yet
	delayed                 // waits for its time
	queued                  // in its function's queue
	running                 // with a worker
	done                    // no longer in the machine
)

// A job is what the machine knows of one. There may be millions, most of them
// in a queue, so that what a job has only at times lies apart: ties and claim.
type job struct {
	fn     *function
	origin *origin
	seq    uint64 // its number in the epoch of its origin
	text   []byte // its unique id, its reducer and, unless it is onlyStored, its payload

	next, prev *job   // queued: in fn.queues; running: in worker.holding
	ties       *ties  // nil: none
	claim      *claim // to its unique id; nil: it never coalesces

	attempts uint32
	size     uint32 // of the payload, in bytes

	uniqueSize, reducerSize uint8 // in text, in bytes

	state      jobState
	priority   persist.Priority
	put        batchNumber // the batch that stores it; 0: stored, or foreground
	background bool        // lives until it is done, whoever disconnects; the store has it, or has been told to
	onlyStored bool        // the payload is to be fetched
	hasReducer bool
}

func (j *job) id() jobNumber { return jobNumber{Epoch: j.origin.epoch, Seq: j.seq} }

func (j *job) unique() []byte { return j.text[:j.uniqueSize] }

func (j *job) reducer() []byte { return j.text[j.uniqueSize:][:j.reducerSize] }

// payload is what the worker gets; empty for a job that is onlyStored.
func (j *job) payload() []byte {
	return j.text[int(j.uniqueSize)+int(j.reducerSize) : len(j.text) : len(j.text)]
}

// dropPayload keeps what the job needs beside its payload, which the store has.
func (j *job) dropPayload() {
	j.text = append([]byte(nil), j.text[:int(j.uniqueSize)+int(j.reducerSize)]...)
	j.onlyStored = true
}

// dash reports whether the job was submitted with "-" for its unique id.
func (j *job) dash() bool { return isDash(j.unique()) }

// setText copies what a job is submitted with. The unique id and the reducer
// have no more than 64 bytes each.
func (j *job) setText(unique, reducer, payload []byte) {
	j.uniqueSize, j.reducerSize, j.size = uint8(len(unique)), uint8(len(reducer)), uint32(len(payload))
	n := len(unique) + len(reducer) + len(payload)
	if n > cap(j.text) || cap(j.text) > 2*n+spareWaste {
		j.text = make([]byte, 0, n)
	}
	j.text = append(append(append(j.text[:0], unique...), reducer...), payload...)
}

// newJob makes a job of a submission and gives it the next number.
func (m *Machine) newJob(fn *function, s *submission, key []byte) *job {
	m.last.Seq++
	j := m.blank()
	j.fn, j.origin, j.seq = fn, m.originOf(m.cfg.HandlePrefix, m.last.Epoch), m.last.Seq
	j.setText(s.unique, s.reducer, s.payload)
	j.hasReducer, j.priority, j.background = s.hasReducer, s.priority, s.background
	if !s.due.IsZero() {
		m.tie(j).due = s.due
	}
	m.addJob(j, key)
	return j
}

// restoreJob makes a job of what the store has kept.
func (m *Machine) restoreJob(p *persist.Job) *job {
	j := &job{
		fn: m.function([]byte(p.Function)), origin: m.originOf(p.Prefix, p.ID.Epoch), seq: p.ID.Seq,
		hasReducer: p.HasReducer, priority: p.Priority, attempts: p.Attempts, background: true,
	}
	j.setText([]byte(p.Unique), []byte(p.Reducer), p.Payload)
	if !p.Due.IsZero() {
		m.tie(j).due = p.Due
	}
	m.addJob(j, uniqueKey(j.unique(), p.Payload))
	return j
}

// record is what the store keeps of the job. The payload is the job's own.
func (m *Machine) record(j *job) persist.Job {
	p := persist.Job{
		ID: j.id(), Prefix: j.origin.prefix, Function: j.fn.name,
		Unique: string(j.unique()), Reducer: string(j.reducer()), HasReducer: j.hasReducer,
		Payload: j.payload(), Priority: j.priority, Attempts: j.attempts,
	}
	if j.ties != nil {
		p.Due = j.ties.due
	}
	return p
}

// addJob makes the job known by its number and unique id.
func (m *Machine) addJob(j *job, key []byte) {
	m.jobs.add(j)
	m.memory += j.memory()
	m.queueBytes += int64(j.size)
	j.fn.bytes += int64(j.size)
	j.fn.total++
	j.fn.waits[j.priority]++
	m.uniques.claim(j, key)
}

// forget makes the job unknown: its handle and unique id are free.
func (m *Machine) forget(j *job) {
	j.state = done
	m.jobs.remove(j)
	m.memory -= j.memory()
	m.queueBytes -= int64(j.size)
	j.fn.bytes -= int64(j.size)
	j.fn.total--
	j.fn.waits[j.priority]--
	m.uniques.release(j)
	m.dropTies(j)
	if j.background && !j.onlyStored && j.put == 0 {
		m.payloadBytes -= int64(j.size)
	}
	m.recycle(j)
}

// spareLimit is how many jobs and ties that are no more are kept for new ones,
// and spareText how large a text is kept with a job: what comes and goes call
// by call costs no memory. A job that may stay takes no text that is more than
// twice its own, and spareWaste, in bytes: it counts for what it has.
const (
	spareLimit = 256
	spareText  = 4096
	spareWaste = 64
)

// blank returns a job without anything, but perhaps memory for its text.
func (m *Machine) blank() *job {
	n := len(m.spareJobs)
	if n == 0 {
		return new(job)
	}
	j := m.spareJobs[n-1]
	m.spareJobs[n-1], m.spareJobs = nil, m.spareJobs[:n-1]
	return j
}

// recycle keeps the memory of a job that is no more, if nobody else can know
// the job: a batch, its replies and fetches know only background jobs.
func (m *Machine) recycle(j *job) {
	if j.background || len(m.spareJobs)+len(m.spentJobs) >= spareLimit || cap(j.text) > spareText {
		return
	}
	*j = job{text: j.text[:0]}
	m.spentJobs = append(m.spentJobs, j)
}

// reclaim has the memory of jobs used again once nothing that is to be said
// points to it.
func (m *Machine) reclaim() {
	m.spareJobs = append(m.spareJobs, m.spentJobs...)
	clear(m.spentJobs)
	m.spentJobs = m.spentJobs[:0]
}
