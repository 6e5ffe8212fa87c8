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
	job    *job
	ofJob  link[*listener]
	ofConn link[*listener]
}

// tie returns the job's ties, which it makes if there are none.
func (m *Machine) tie(j *job) *ties {
	if j.ties != nil {
		return j.ties
	}
	if n := len(m.spareTies); n > 0 {
		j.ties = m.spareTies[n-1]
		m.spareTies[n-1], m.spareTies = nil, m.spareTies[:n-1]
	} else {
		j.ties = new(ties)
	}
	return j.ties
}

// untie gives the job's ties up if there is nothing in them.
func (m *Machine) untie(j *job) {
	if t := j.ties; t != nil && t.listeners.n == 0 && t.worker == nil && t.due.IsZero() {
		m.dropTies(j)
	}
}

// dropTies ends whatever ties the job has.
func (m *Machine) dropTies(j *job) {
	t := j.ties
	if t == nil {
		return
	}
	m.cancelTimer(j)
	for l := range t.listeners.all {
		m.unlisten(l)
	}
	j.ties = nil
	if len(m.spareTies) < spareLimit {
		*t = ties{}
		m.spareTies = append(m.spareTies, t)
	}
}

func (m *Machine) listen(c *Conn, j *job) {
	m.memory += listenerMemory
	t := m.tie(j)
	l := &t.first
	if l.job != nil {
		l = new(listener)
	}
	l.conn, l.job = c, j
	l.ofJob.of, l.ofConn.of = l, l
	t.listeners.pushBack(&l.ofJob)
	c.listening.pushBack(&l.ofConn)
}

func (m *Machine) unlisten(l *listener) {
	m.memory -= listenerMemory
	l.ofJob.remove()
	l.ofConn.remove()
	l.conn, l.job = nil, nil
}

// listeners yields those who wait for the job, as they came.
func (j *job) listeners(yield func(*listener) bool) {
	if j.ties != nil {
		j.ties.listeners.all(yield)
	}
}

// audience is how many wait for the job.
func (j *job) audience() int {
	if j.ties == nil {
		return 0
	}
	return j.ties.listeners.n
}

// worker is who runs the job, or nil.
func (j *job) worker() *Conn {
	if j.ties == nil {
		return nil
	}
	return j.ties.worker
}

// timed reports whether the job has a timer that runs.
func (j *job) timed() bool { return j.ties != nil && j.ties.timer.index > 0 }

// cancelTimer stops a job's timer, if it has one.
func (m *Machine) cancelTimer(j *job) {
	if !j.timed() {
		return
	}
	m.deadlines.cancel(&j.ties.timer)
	if c := j.ties.worker; c != nil {
		c.timers--
	}
}
