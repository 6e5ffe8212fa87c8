package router

import "gearbolt/persist"

// A function is a name that jobs are submitted under and workers register for.
// It stays known with zeros after its last job and worker are gone, until it
// is dropped, as in gearmand.
type function struct {
	name   string
	seat   seat                        // in Machine.functionAt
	queues [persist.Priorities]jobList // jobs that may run, first come first served
	total  int                         // all its jobs: pending, delayed, queued, running
	run    int                         // of these, running
	waits  [persist.Priorities]int     // of these, the others
	limit  [persist.Priorities]uint32  // "maxqueue"; 0: none

	bytes    int64 // payloads of all its jobs
	maxBytes int64 // "maxqueuebytes"; 0: none

	workers  int                     // registrations
	sleepers abilityList             // abilities of connections that sleep, or did when last looked at: wake.go
	woken    list[*Conn]             // workers woken for this function that have not come yet
	watch    deadline                // looks after woken workers that stay silent
	readyAt  [persist.Priorities]int // place in Machine.ready, from 1; 0: not there
}

// function returns the function of that name, which it makes if there is none.
func (m *Machine) function(name []byte) *function {
	if fn := m.functions[string(name)]; fn != nil {
		return fn
	}
	fn := &function{name: string(name)}
	l := m.limits.now[fn.name]
	fn.limit, fn.maxBytes = l.Max, l.Bytes
	fn.watch.fire = func() { m.watchWoken(fn) }
	m.functions[fn.name] = fn
	fn.seat = m.functionAt.take(fn)
	m.register(memoryOfFunction(fn.name))
	return fn
}

func (m *Machine) functionOf(j *job) *function { return m.functionAt.at[j.fn] }

// waiting is how many jobs may run now.
func (fn *function) waiting() int {
	return fn.queues[persist.High].n + fn.queues[persist.Normal].n + fn.queues[persist.Low].n
}

// A readySet is the functions that have jobs of one priority which may run. A
// function knows its place in it, so that to come and to go costs the same
// however many there are.
type readySet []*function

func (m *Machine) enterReady(fn *function, p persist.Priority) {
	m.ready[p] = append(m.ready[p], fn)
	fn.readyAt[p] = len(m.ready[p])
}

func (m *Machine) leaveReady(fn *function, p persist.Priority) {
	s, at := m.ready[p], fn.readyAt[p]-1
	last := len(s) - 1
	s[at] = s[last]
	s[at].readyAt[p] = at + 1
	s[last] = nil
	m.ready[p] = compact(s[:last])
	fn.readyAt[p] = 0
}

// enqueue puts a job at the end of its queue and wakes a worker for it.
func (m *Machine) enqueue(j *job) {
	j.state = queued
	fn := m.functionOf(j)
	q := &fn.queues[j.priority]
	if m.jobs.pushBack(q, j); q.n == 1 {
		m.enterReady(fn, j.priority)
	}
	m.wake(fn)
}

// dequeue takes a job out of its queue.
func (m *Machine) dequeue(j *job) {
	fn := m.functionOf(j)
	q := &fn.queues[j.priority]
	if m.jobs.remove(q, j); q.n == 0 {
		m.leaveReady(fn, j.priority)
	}
}
