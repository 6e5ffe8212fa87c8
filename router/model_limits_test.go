package router

import (
	"crypto/sha256"
	"strconv"
	"strings"
	"time"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// The limits, the plain way: everything is counted anew each time.

// refuse refuses a request, and counts that.
func (m *model) refuse(c *modelConn, why Counter) {
	m.refusals[why]++
	c.say(errorPacket("QUEUE_ERROR", refusalTexts[why]))
}

// over is the limit that one more job would break.
func (m *model) over(s persist.Job, background bool) Counter {
	if !m.functions[s.Function] {
		if why := m.functionOver(s.Function); why != noLimit {
			return why
		}
	}
	same := func(j *modelJob) bool { return j.Function == s.Function }
	all := func(*modelJob) bool { return true }
	own, l, size := m.limits.now[s.Function], m.cfg.Limits, int64(len(s.Payload))
	breaks := func(limit, now int64) bool { return limit > 0 && now > limit }
	memory := (&modelJob{Job: s, background: background}).memory() + int(l.Memory/8)
	switch {
	case breaks(int64(own.Max[s.Priority]), int64(m.count(same)+1)):
		return JobsOverMaxqueue
	case own.Max[s.Priority] == 0 && breaks(int64(l.JobsPerFunction), int64(m.count(same)+1)):
		return JobsOverMaxJobsPerFunction
	case breaks(own.Bytes, m.bytes(same)+size):
		return JobsOverMaxqueuebytes
	case own.Bytes == 0 && breaks(l.QueueBytesPerFunction, m.bytes(same)+size):
		return JobsOverMaxQueueBytesPerFunction
	case breaks(int64(l.Jobs), int64(m.count(all)+1)):
		return JobsOverMaxJobs
	case breaks(l.QueueBytes, m.bytes(all)+size):
		return JobsOverMaxQueueBytes
	case m.full(memory):
		return JobsOverQueueMemory
	case m.closing && !background:
		return JobsWhileShuttingDown
	}
	return noLimit
}

func (m *model) functionOver(name string) Counter {
	switch {
	case m.cfg.Limits.Functions > 0 && len(m.functions) >= m.cfg.Limits.Functions:
		return FunctionsOverMaxFunctions
	case m.full(functionMemory + len(name)):
		return FunctionsOverQueueMemory
	}
	return noLimit
}

// abilityOver is the limit that one more registration would break.
func (m *model) abilityOver(c *modelConn, function string) Counter {
	n := 0
	for _, a := range c.abilities {
		n += a.times
	}
	if limit := m.cfg.Limits.FunctionsPerConn; limit > 0 && n >= limit {
		return FunctionsOverMaxFunctionsPerConnection
	}
	if !m.functions[function] {
		if why := m.functionOver(function); why != noLimit {
			return why
		}
	}
	if m.full(abilityMemory) {
		return FunctionsOverQueueMemory
	}
	return noLimit
}

// clientOver is the limit that one more client of j would break.
func (m *model) clientOver(j *modelJob) Counter {
	switch limit := m.cfg.Limits.ClientsPerJob; {
	case limit > 0 && len(j.clients) >= limit:
		return ClientsOverMaxClientsPerJob
	case m.full(listenerMemory + tiesMemory - j.ties()):
		return ClientsOverQueueMemory
	}
	return noLimit
}

func (m *model) bytes(of func(*modelJob) bool) (n int64) {
	for _, j := range m.jobs {
		if of(j) {
			n += int64(len(j.Payload))
		}
	}
	return n
}

// full reports whether there is no memory for n bytes more.
func (m *model) full(n int) bool {
	return m.cfg.Limits.Memory > 0 && m.memory()+int64(n) > m.cfg.Limits.Memory
}

func (j *modelJob) memory() int {
	n, text := jobMemory+j.ties(), len(j.Unique)+len(j.Reducer)
	if j.Unique != "" {
		n += uniqueMemory
	}
	if j.Unique == "-" && (len(j.Payload) > protocol.MaxUnique || strings.Contains(string(j.Payload), "\x00")) {
		text += 1 + sha256.Size
	} else if j.Unique == "-" {
		text += len(j.Payload)
	}
	if !j.background {
		text += len(j.Payload)
	}
	return n + textMemory(text)
}

// ties is what a job counts for while somebody waits for it, it runs, or it
// waits for a time.
func (j *modelJob) ties() int {
	waits := !j.Due.IsZero() && (j.state == pending || j.state == delayed)
	if !j.background || len(j.clients) > 0 || j.state == running || waits {
		return tiesMemory
	}
	return 0
}

func (m *model) memory() int64 {
	n := 0
	for _, j := range m.jobs {
		n += j.memory() + listenerMemory*len(j.clients)
	}
	for f := range m.functions {
		n += functionMemory + len(f)
	}
	for f := range m.limits.now {
		n += functionMemory + len(f)
	}
	for _, c := range m.conns {
		n += abilityMemory * len(c.abilities)
	}
	return int64(n)
}

// lawOfMemory: what the machine thinks that it holds is what it holds, and how
// often it has refused is how often it has said so.
func (m *model) lawOfMemory() {
	if got, want := m.machine.memory, m.memory(); got != want {
		m.failf("the machine holds %d bytes and thinks that it is %d", want, got)
	}
	for i, n := range m.machine.counters {
		if why := Counter(i); refusalTexts[why] != "" && why != GrabsOverLimit && n != m.refusals[why] {
			m.failf("%v is %d, and should be %d", why, n, m.refusals[why])
		}
	}
}

// setLimits is "maxqueue" and "maxqueuebytes".
func (m *model) setLimits(c *modelConn, command, function string, numbers []string) {
	l := persist.Limit{Function: function, Max: m.limits.now[function].Max, Bytes: m.limits.now[function].Bytes}
	if command == "maxqueuebytes" {
		l.Bytes = 0
		if len(numbers) > 0 {
			l.Bytes, _ = strconv.ParseInt(numbers[0], 10, 64)
		}
	} else {
		l.Max = maxqueues(numbers)
	}
	_, known := m.limits.now[function]
	if n := m.cfg.Limits.Functions; n > 0 && !l.IsZero() && !known && len(m.limits.now) >= n {
		m.refuseLine(c, FunctionsOverMaxFunctions)
		return
	}
	if !l.IsZero() && !known && m.full(functionMemory+len(function)) {
		m.refuseLine(c, FunctionsOverQueueMemory)
		return
	}
	putLimit(m.limits.now, l)
	m.limits.waiting = append(m.limits.waiting, limitReply{l, c.wait()})
}

func maxqueues(numbers []string) (max [persist.Priorities]uint32) {
	for i, n := range numbers {
		limit, _ := strconv.ParseUint(n, 10, 32)
		if max[i] = uint32(limit); len(numbers) == 1 {
			max = [persist.Priorities]uint32{max[0], max[0], max[0]}
		}
	}
	return max
}

func (m *model) refuseLine(c *modelConn, why Counter) {
	m.refusals[why]++
	c.say(strconv.Quote("ERR QUEUE_ERROR " + strings.ReplaceAll(refusalTexts[why], " ", "+") + "\r\n"))
}

// refuseAbility ends a worker's connection that cannot be registered.
func (m *model) refuseAbility(c *modelConn, why Counter) {
	m.refuse(c, why)
	c.end()
}

// limits are some for a simulation in which there is little of anything.
func (s *simulation) limits() Limits {
	if s.chance(50) {
		return Limits{}
	}
	return Limits{
		Jobs: pick(s, 0, 0, 4), JobsPerFunction: pick(s, 0, 0, 2),
		QueueBytes: pick(s, int64(0), 0, 30), QueueBytesPerFunction: pick(s, int64(0), 0, 12),
		Functions: pick(s, 0, 0, 2), FunctionsPerConn: pick(s, 0, 0, 2), ClientsPerJob: pick(s, 0, 0, 1),
		Memory: pick(s, int64(0), 0, 2000, 4000), Replies: pick(s, int64(0), 0, 200),
	}
}

// create is "create function".
func (m *model) createFunction(c *modelConn, name string) {
	if !m.functions[name] {
		if why := m.functionOver(name); why != noLimit {
			m.refuseLine(c, why)
			return
		}
	}
	m.functions[name] = true
	c.say(ok)
}

// register is CAN_DO and CAN_DO_TIMEOUT as far as the limits allow it.
func (m *model) register(c *modelConn, t protocol.Type, a []string) {
	if why := m.abilityOver(c, a[0]); why != noLimit {
		m.refuseAbility(c, why)
		return
	}
	ms := 0
	if t == protocol.CanDoTimeout {
		ms, _ = strconv.Atoi(a[1])
	}
	m.canDo(c, a[0], time.Duration(ms)*time.Millisecond)
}
