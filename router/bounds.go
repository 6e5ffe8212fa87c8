package router

import (
	"strings"

	"gearbolt/protocol"
)

// House law 8: a limit on everything, and a clear error at the door. What a
// limit refuses was never there. What came back from the store at the start is
// never refused, whatever the limits say by then.

// Limits bound what peers can make the machine keep. 0 is no bound.
type Limits struct {
	Jobs                  int   // in all, waiting and running: max-jobs; never above mostJobs
	JobsPerFunction       int   // where no "maxqueue" is set: max-jobs-per-function
	QueueBytes            int64 // payloads of all jobs, wherever they are kept: max-queue-bytes
	QueueBytesPerFunction int64 // where no "maxqueuebytes" is set: max-queue-bytes-per-function
	Functions             int   // known, and as many with limits of their own: max-functions
	FunctionsPerConn      int   // registrations of a connection: max-functions-per-connection
	ClientsPerJob         int   // that wait for one job: max-clients-per-job

	// Memory is what jobs, functions, registrations and waiting clients may
	// take, in bytes, about: queue-memory. The payload of a foreground job
	// counts; that of a background job is in the store, and beside it in
	// Config.PayloadMemory.
	Memory int64

	// Replies is how many bytes of replies may wait for the store on all
	// connections together: outbox-memory.
	Replies int64
}

// What each thing takes, in bytes, with its place in indexes and lists. They
// are measured, and rounded up. A job has some 110 among its like, and 175 far
// from the next one: numbers.go.
const (
	jobMemory      = 192
	uniqueMemory   = 64  // of a job that has a unique id, beside its bytes
	tiesMemory     = 192 // of a job that somebody waits for, that runs, or that waits for a time
	functionMemory = 448
	abilityMemory  = 96
	listenerMemory = 96
)

// mostJobs is how many jobs there may be whatever the limits are: a jobRef tells
// no more apart. Those that are done and in a batch come on top of it.
const mostJobs = 4_000_000_000

// textMemory is what n bytes take in a piece of memory of their own: the Go
// runtime has pieces of few sizes, and pages of 8 KiB.
func textMemory(n int) int {
	if n == 0 {
		return 0
	}
	return n + min(n/4, 8<<10) + 16
}

// jobsMemory is what a job counts in Machine.memory beside its ties. Its text
// has so many bytes before the payload.
func jobsMemory(named bool, head, payload int, background bool) int64 {
	n := jobMemory
	if named {
		n += uniqueMemory
	}
	if !background {
		head += payload
	}
	return int64(n + textMemory(head))
}

func (j *job) memory() int64 {
	return jobsMemory(j.uniqueSize > 0, j.headSize(), int(j.size), j.background)
}

// memory is what the submission's job would count.
func (s *submission) memory(c *claim) int64 {
	n := jobsMemory(len(s.unique) > 0, len(s.unique)+len(s.reducer)+len(c.apart()), len(s.payload), s.background)
	if !s.background || !s.due.IsZero() {
		n += tiesMemory
	}
	return n
}

// setBackground makes j a background job, or a foreground one again. A job that
// is forgotten counts no more.
func (m *Machine) setBackground(j *job, background bool) {
	was := j.memory()
	if j.background = background; j.state != done {
		m.memory += j.memory() - was
	}
}

func memoryOfFunction(name string) int64 { return int64(functionMemory + len(name)) }

// lacks reports whether there is no memory for n bytes more.
func (m *Machine) lacks(n int64) bool {
	return m.cfg.Limits.Memory > 0 && m.memory+n > m.cfg.Limits.Memory
}

// register counts memory of functions and registrations.
func (m *Machine) register(n int64) {
	m.memory += n
	m.registry += n
}

// lacksToRegister is lacks for functions and registrations, which may have an
// eighth in any case: jobs take more than there is when they were there before
// the limit was lowered, and are to be worked off.
func (m *Machine) lacksToRegister(n int64) bool {
	return m.lacks(n) && m.registry+n > m.cfg.Limits.Memory/8
}

// lacksForJobs is lacks for a job. An eighth is kept for those who come to work
// jobs off: a queue that leaves no room for workers would stay full for ever.
func (m *Machine) lacksForJobs(n int64) bool { return m.lacks(n + m.cfg.Limits.Memory/8) }

// noLimit stands for the limit that nothing breaks.
const noLimit = numCounters

// refusal is the limit that one more job would break, or noLimit. fn is nil for
// a function that is not known.
func (m *Machine) refusal(fn *function, s *submission, c *claim) Counter {
	if fn == nil {
		if why := m.functionRefusal(len(s.function)); why != noLimit {
			return why
		}
		l := m.limits.now[string(s.function)]
		fn = &function{limit: l.Max, maxBytes: l.Bytes}
	}
	l, size := &m.cfg.Limits, int64(len(s.payload))
	switch {
	case fn.limit[s.priority] > 0 && fn.total >= int(fn.limit[s.priority]):
		return JobsOverMaxqueue // gearmand counts the jobs of all priorities, queued and running
	case fn.limit[s.priority] == 0 && l.JobsPerFunction > 0 && fn.total >= l.JobsPerFunction:
		return JobsOverMaxJobsPerFunction
	case fn.maxBytes > 0 && fn.bytes+size > fn.maxBytes:
		return JobsOverMaxqueuebytes
	case fn.maxBytes == 0 && l.QueueBytesPerFunction > 0 && fn.bytes+size > l.QueueBytesPerFunction:
		return JobsOverMaxQueueBytesPerFunction
	case l.Jobs > 0 && m.jobs.numbers.n >= l.Jobs, int64(m.jobs.numbers.n) >= mostJobs:
		return JobsOverMaxJobs
	case l.QueueBytes > 0 && m.queueBytes+size > l.QueueBytes:
		return JobsOverMaxQueueBytes
	case m.lacksForJobs(s.memory(c)):
		return JobsOverQueueMemory
	case m.closing && !s.background:
		return JobsWhileShuttingDown
	}
	return noLimit
}

// functionRefusal is the limit that one more function would break.
func (m *Machine) functionRefusal(name int) Counter {
	switch {
	case m.cfg.Limits.Functions > 0 && len(m.functions) >= m.cfg.Limits.Functions:
		return FunctionsOverMaxFunctions
	case m.lacksToRegister(int64(functionMemory + name)):
		return FunctionsOverQueueMemory
	}
	return noLimit
}

// abilityRefusal is the limit that one more registration of c would break. fn is
// nil for a function that is not known, whose name has so many bytes.
func (m *Machine) abilityRefusal(c *Conn, fn *function, name int) Counter {
	if n := m.cfg.Limits.FunctionsPerConn; n > 0 && c.registrations >= n {
		return FunctionsOverMaxFunctionsPerConnection
	}
	if fn == nil {
		if why := m.functionRefusal(name); why != noLimit {
			return why
		}
	}
	if m.lacksToRegister(abilityMemory) {
		return FunctionsOverQueueMemory
	}
	return noLimit
}

// clientRefusal is the limit that one more client of j would break.
func (m *Machine) clientRefusal(j *job) Counter {
	switch n := m.cfg.Limits.ClientsPerJob; {
	case n > 0 && m.audience(j) >= n:
		return ClientsOverMaxClientsPerJob
	case m.lacks(m.memoryToListen(j)):
		return ClientsOverQueueMemory
	}
	return noLimit
}

// memoryToListen is what one more client of j takes.
func (m *Machine) memoryToListen(j *job) int64 {
	if j.ties == 0 {
		return tiesMemory + listenerMemory
	}
	return listenerMemory
}

// refusalTexts are what a peer is told of a limit.
var refusalTexts = map[Counter]string{
	JobsOverMaxqueue:                       protocol.TextQueueFull,
	JobsOverMaxqueuebytes:                  protocol.TextQueueFull + ": maxqueuebytes is reached",
	JobsOverMaxJobs:                        protocol.TextQueueFull + ": max-jobs is reached",
	JobsOverMaxJobsPerFunction:             protocol.TextQueueFull + ": max-jobs-per-function is reached",
	JobsOverMaxQueueBytes:                  protocol.TextQueueFull + ": max-queue-bytes is reached",
	JobsOverMaxQueueBytesPerFunction:       protocol.TextQueueFull + ": max-queue-bytes-per-function is reached",
	JobsOverQueueMemory:                    protocol.TextQueueFull + ": queue-memory is used up",
	JobsWhileShuttingDown:                  "The server is shutting down",
	ClientsOverMaxClientsPerJob:            "Too many clients wait for this job: max-clients-per-job is reached",
	ClientsOverQueueMemory:                 "Too many clients wait for jobs: queue-memory is used up",
	FunctionsOverMaxFunctions:              "Too many functions: max-functions is reached",
	FunctionsOverMaxFunctionsPerConnection: "Too many functions on this connection: max-functions-per-connection is reached",
	FunctionsOverQueueMemory:               "Too many functions: queue-memory is used up",
	GrabsOverLimit:                         "Too many requests wait for a job",
}

// deny tells c that a limit refuses its request.
func (m *Machine) deny(c *Conn, why Counter) {
	m.Count(why, 1)
	m.sayError(c, protocol.QueueError, refusalTexts[why])
}

// denyLine is deny for an admin line.
func (m *Machine) denyLine(c *Conn, why Counter) {
	m.Count(why, 1)
	m.sayText(c, "ERR QUEUE_ERROR "+strings.ReplaceAll(refusalTexts[why], " ", "+")+"\r\n")
}
