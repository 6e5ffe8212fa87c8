package router

import "gearbolt/persist"

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
// in a queue: so jobs lie in slabs, know each other and all else by numbers, and
// have no pointer but that to their text; and what a job has only at times lies
// apart, in ties.
type job struct {
	text []byte // text.go
	seq  uint64 // its number in the epoch of its origin

	ref        jobRef
	fn         seat   // in Machine.functionAt
	origin     seat   // in jobs.origins
	prev, next jobRef // queued: in fn.queues; running: in worker.holding
	ties       ref[ties]

	hash           uint32 // of its key: unique.go
	younger, older jobRef // of those with its unique id that are known, the next ones

	attempts uint32
	size     uint32 // of the payload, in bytes

	uniqueSize, reducerSize, keySize uint8 // of these in the text, in bytes

	state      jobState
	priority   persist.Priority
	put        batchNumber // the batch that stores it; 0: stored, or foreground
	background bool        // lives until it is done, whoever disconnects; the store has it, or has been told to
	onlyStored bool        // the payload is to be fetched
	hasReducer bool
	selfNamed  bool // the unique id is the payload
}

// A jobRef says where a job lies; 0 is none. A job that is done keeps its place,
// and its handle, for as long as it is in a batch, which may know it by its ref
// until then, as may the replies that wait for the batch. What lasts longer than
// that, or than the job, knows it by its number, which is given once only.
type jobRef = ref[job]

// jobs is all jobs: where they lie, and by what they are found.
type jobs struct {
	slabs[job]
	numbers numbers
	origins origins
}

// of is the job of that number, or nil.
func (t *jobs) of(id jobNumber) *job {
	if ref := t.numbers.get(id); ref != 0 {
		return t.at(ref)
	}
	return nil
}

func (t *jobs) id(j *job) jobNumber {
	return jobNumber{Epoch: t.origins.at[j.origin].epoch, Seq: j.seq}
}

// sorted yields the jobs in the order of their numbers.
func (t *jobs) sorted(yield func(*job) bool) {
	for ref := range t.numbers.sorted {
		if !yield(t.at(ref)) {
			return
		}
	}
}

// newJob makes a job of a submission and gives it the next number.
func (m *Machine) newJob(fn *function, s *submission, c *claim) *job {
	m.last.Seq++
	j := m.addJob(fn, m.cfg.HandlePrefix, m.last)
	m.setText(j, s.unique, s.reducer, s.payload, c)
	j.hasReducer, j.priority, j.background = s.hasReducer, s.priority, s.background
	if !s.due.IsZero() {
		m.tie(j).due = s.due
	}
	m.enroll(j, fn)
	return j
}

// restoreJob makes a job of what the store has kept.
func (m *Machine) restoreJob(p *persist.Job) *job {
	fn := m.function([]byte(p.Function))
	j := m.addJob(fn, p.Prefix, p.ID)
	c := m.uniques.claimOf([]byte(p.Unique), p.Payload)
	m.setText(j, []byte(p.Unique), []byte(p.Reducer), p.Payload, &c)
	j.hasReducer, j.priority, j.attempts, j.background = p.HasReducer, p.Priority, p.Attempts, true
	if !p.Due.IsZero() {
		m.tie(j).due = p.Due
	}
	m.enroll(j, fn)
	return j
}

// addJob returns a new job of that number.
func (m *Machine) addJob(fn *function, prefix string, id jobNumber) *job {
	ref, j := m.jobs.add()
	j.ref, j.fn, j.origin, j.seq = ref, fn.seat, m.jobs.origins.enter(prefix, id.Epoch), id.Seq
	return j
}

// record is what the store keeps of the job. The payload is the job's own.
func (m *Machine) record(j *job) persist.Job {
	p := persist.Job{
		ID: m.jobs.id(j), Prefix: m.jobs.origins.at[j.origin].prefix, Function: m.functionOf(j).name,
		Unique: string(j.unique()), Reducer: string(j.reducer()), HasReducer: j.hasReducer,
		Payload: j.payload(), Priority: j.priority, Attempts: j.attempts,
	}
	if j.ties != 0 {
		p.Due = m.ties.at(j.ties).due
	}
	return p
}

// enroll makes the job known by its number and unique id.
func (m *Machine) enroll(j *job, fn *function) {
	m.jobs.numbers.add(m.jobs.id(j), j.ref)
	m.memory += j.memory()
	m.queueBytes += int64(j.size)
	fn.bytes += int64(j.size)
	fn.total++
	fn.waits[j.priority]++
	m.uniques.claim(j)
}

// forget makes the job unknown: its handle and unique id are free.
func (m *Machine) forget(j *job) {
	m.uniques.release(j)
	j.state = done
	m.jobs.numbers.remove(m.jobs.id(j))
	m.memory -= j.memory()
	m.queueBytes -= int64(j.size)
	fn := m.functionOf(j)
	fn.bytes -= int64(j.size)
	fn.total--
	fn.waits[j.priority]--
	m.dropTies(j)
	if j.background && !j.onlyStored && j.put == 0 {
		m.payloadBytes -= int64(j.size)
	}
	m.spendText(j)
	if j.put == 0 {
		m.dropJob(j)
	}
}

// dropJob gives up the place of a job that is done, and in no batch.
func (m *Machine) dropJob(j *job) {
	m.jobs.origins.leave(j.origin)
	m.jobs.drop(j.ref)
}
