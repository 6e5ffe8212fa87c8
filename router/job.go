package router

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strconv"

	"gearbolt/persist"
	"gearbolt/protocol"
)

type jobNumber = persist.JobID

// A job is in one of these states; package comment: "A job's life".
type jobState uint8

const (
	pending jobState = iota // a background job that the store does not have yet
	delayed                 // waits for its time
	queued                  // in its function's queue
	running                 // with a worker
	done                    // no longer in the machine
)

// A job is what the machine knows of one. Its Payload is nil when it is kept
// in the store alone (onlyStored).
type job struct {
	persist.Job
	fn    *function
	state jobState
	place link[*job] // queued: in fn.queues; running: in worker.holding

	background bool   // lives until it is done, whoever disconnects
	kept       bool   // the store has it, or has been told to
	onlyStored bool   // the payload is to be fetched
	size       int    // of the payload, in bytes
	put        *batch // the batch that stores it; nil: stored, or foreground
	putAt      int    // the place of the PutJob in put

	listeners   list[*listener] // foreground clients that wait for it
	worker      *Conn           // running: who runs it
	timer       *deadline       // delayed: its time; running: CAN_DO_TIMEOUT
	numerator   uint32          // WORK_STATUS
	denominator uint32

	key            string // see uniqueKey
	named          bool   // the unique id is the payload
	younger, older *job   // with the same key
}

// A listener is a foreground client that waits for a job. One that submitted
// it twice listens twice and is told all twice.
type listener struct {
	conn   *Conn
	job    *job
	ofJob  link[*listener]
	ofConn link[*listener]
}

func (j *job) listen(c *Conn) {
	l := &listener{conn: c, job: j}
	l.ofJob.of, l.ofConn.of = l, l
	j.listeners.pushBack(&l.ofJob)
	c.listening.pushBack(&l.ofConn)
}

func (l *listener) remove() {
	l.ofJob.remove()
	l.ofConn.remove()
}

// newJob makes a job and gives it the next number.
func (m *Machine) newJob(fn *function, p persist.Job, key string) *job {
	m.last.Seq++
	p.ID, p.Prefix, p.Function = m.last, m.cfg.HandlePrefix, fn.name
	return m.addJob(fn, p, key)
}

// addJob makes the job known by its number and unique id.
func (m *Machine) addJob(fn *function, p persist.Job, key string) *job {
	j := &job{Job: p, fn: fn, size: len(p.Payload)}
	j.place.of = j
	m.jobs[j.ID] = j
	fn.total++
	fn.waits[j.Priority]++
	if key != "" {
		j.named = j.Unique == string(j.Payload)
		m.addUnique(key, j)
	}
	return j
}

// forget makes the job unknown: its handle and unique id are free.
func (m *Machine) forget(j *job) {
	m.cancelTimer(j)
	j.state = done
	delete(m.jobs, j.ID)
	j.fn.total--
	j.fn.waits[j.Priority]--
	m.removeUnique(j)
	for l := range j.listeners.all {
		l.remove()
	}
	if j.background && !j.onlyStored && j.put == nil {
		m.payloadBytes -= int64(j.size)
	}
}

// uniqueKey is what jobs of one function coalesce by: the unique id, or the
// payload where the id is "-"; "" for a job that never coalesces. A long
// payload stands for itself by its hash, behind a NUL that no unique id has.
func uniqueKey(unique string, payload []byte) string {
	switch {
	case unique != "-":
		return unique
	case len(payload) <= protocol.MaxUnique && bytes.IndexByte(payload, 0) < 0:
		return string(payload)
	}
	sum := sha256.Sum256(payload)
	return "\x00" + string(sum[:])
}

func (m *Machine) addUnique(key string, j *job) {
	if first := m.uniques[key]; first != nil {
		j.older, first.younger = first, j
	}
	m.uniques[key] = j
	j.key = key
}

func (m *Machine) removeUnique(j *job) {
	if j.key == "" {
		return
	}
	switch {
	case j.younger != nil:
		j.younger.older = j.older
	case j.older != nil:
		m.uniques[j.key] = j.older
	default:
		delete(m.uniques, j.key)
	}
	if j.older != nil {
		j.older.younger = j.younger
	}
	j.younger, j.older = nil, nil
}

// sameUnique finds the job of fn that a submission joins. The same unique id
// joins; "-" joins a job with the same payload that was submitted with "-", or
// with that payload as its unique id.
func (m *Machine) sameUnique(fn *function, dash bool, key string) *job {
	if key == "" {
		return nil
	}
	j := m.uniques[key]
	for j != nil && (j.fn != fn || j.dash() != dash && !(dash && j.named)) {
		j = j.older
	}
	return j
}

// dash reports whether the job was submitted with "-" for its unique id.
func (j *job) dash() bool { return j.Unique == "-" }

// appendHandle appends the job's handle.
func (j *job) appendHandle(dst []byte) []byte {
	dst = append(dst, j.Prefix...)
	dst = append(dst, ':')
	dst = strconv.AppendUint(dst, j.ID.Epoch, 10)
	dst = append(dst, '-')
	return strconv.AppendUint(dst, j.ID.Seq, 10)
}

// jobByHandle finds the job that a handle names. A NUL behind the handle, which
// some clients send, is not part of it.
func (m *Machine) jobByHandle(handle []byte) *job {
	handle = protocol.CString(handle)
	prefix, id, ok := parseHandle(handle)
	if !ok {
		return nil
	}
	j := m.jobs[id]
	if j == nil || j.Prefix != string(prefix) {
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

// sortedJobs returns the jobs that are known to the outside by number.
func (m *Machine) sortedJobs() []*job {
	all := make([]*job, 0, len(m.jobs))
	for _, j := range m.jobs {
		if j.state != pending {
			all = append(all, j)
		}
	}
	slices.SortFunc(all, func(a, b *job) int { return a.ID.Compare(b.ID) })
	return all
}
