package router

import "time"

// Ties are what a job has while somebody waits for it, runs it, or it waits for
// a time.
type ties struct {
	listeners list[*listener] // foreground clients that wait for it
	first     listener        // memory for one of these: most jobs have no other
	worker    *Conn           // running: who runs it
	timer     deadline        // delayed: its time; running: CAN_DO_TIMEOUT
	due       time.Time       // delayed, or pending and perhaps to be delayed; else zero

	numerator, denominator uint32 // WORK_STATUS
}

// A listener is a foreground client that waits for a job. One that submitted
// it twice listens twice and is told all twice.
type listener struct {
	conn   *Conn
	job    jobRef
	ofJob  link[*listener]
	ofConn link[*listener]
}

// tie returns the job's ties, which it makes if there are none.
func (m *Machine) tie(j *job) *ties {
	if j.ties == 0 {
		j.ties, _ = m.ties.add()
		m.memory += tiesMemory
	}
	return m.ties.at(j.ties)
}

// untie gives the job's ties up if there is nothing in them.
func (m *Machine) untie(j *job) {
	if j.ties == 0 {
		return
	}
	if t := m.ties.at(j.ties); t.listeners.n == 0 && t.worker == nil && t.due.IsZero() {
		m.dropTies(j)
	}
}

// dropTies ends whatever ties the job has.
func (m *Machine) dropTies(j *job) {
	if j.ties == 0 {
		return
	}
	m.cancelTimer(j)
	for l := range m.listeners(j).all {
		m.unlisten(l)
	}
	m.ties.drop(j.ties)
	m.memory -= tiesMemory
	j.ties = 0
}

func (m *Machine) listen(c *Conn, j *job) {
	m.memory += listenerMemory
	t := m.tie(j)
	l := &t.first
	if l.job != 0 {
		l = new(listener)
	}
	l.conn, l.job = c, j.ref
	l.ofJob.of, l.ofConn.of = l, l
	t.listeners.pushBack(&l.ofJob)
	c.listening.pushBack(&l.ofConn)
}

func (m *Machine) unlisten(l *listener) {
	m.memory -= listenerMemory
	l.ofJob.remove()
	l.ofConn.remove()
	l.conn, l.job = nil, 0
}

// listeners is who waits for the job, as they came; nil: nobody.
func (m *Machine) listeners(j *job) *list[*listener] {
	if j.ties == 0 {
		return nil
	}
	return &m.ties.at(j.ties).listeners
}

// audience is how many wait for the job.
func (m *Machine) audience(j *job) int {
	if j.ties == 0 {
		return 0
	}
	return m.ties.at(j.ties).listeners.n
}

// workerOf is who runs the job, or nil.
func (m *Machine) workerOf(j *job) *Conn {
	if j.ties == 0 {
		return nil
	}
	return m.ties.at(j.ties).worker
}

// timed reports whether the job has a timer that runs.
func (m *Machine) timed(j *job) bool { return j.ties != 0 && m.ties.at(j.ties).timer.index > 0 }

// cancelTimer stops a job's timer, if it has one.
func (m *Machine) cancelTimer(j *job) {
	if !m.timed(j) {
		return
	}
	t := m.ties.at(j.ties)
	m.deadlines.cancel(&t.timer)
	if t.worker != nil {
		t.worker.timers--
	}
}

// timeUp is a job's timer that has run out: the time that the job has waited for
// has come, or that of its worker is up.
func (m *Machine) timeUp(j *job) {
	c := m.workerOf(j)
	if c == nil {
		m.isDue(j)
		return
	}
	c.timers--
	c.past.take(m.jobs.id(j))
	m.requeue(j)
}
