package router

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// submit is any of the SUBMIT family.
func (m *model) submit(c *modelConn, s persist.Job, background bool) {
	if len(s.Unique) > 64 {
		c.say(errorPacket("ARGUMENT_TOO_LARGE", "Unique value too large"))
		return
	}
	key := s.Unique
	if key == "-" {
		key = string(s.Payload)
	}
	if j := m.same(s, key); j != nil {
		m.join(c, j, background)
		return
	}
	if why := m.over(s, background); why != noLimit {
		m.refuse(c, why)
		return
	}
	m.functions[s.Function] = true
	m.create(c, &modelJob{Job: s, key: key, background: background})
}

func (m *model) count(is func(*modelJob) bool) (n int) {
	for _, j := range m.jobs {
		if is(j) {
			n++
		}
	}
	return n
}

// same finds the job that a submission joins: the same unique id joins; "-"
// joins the same payload where that was submitted with "-", or is its own
// unique id. After a crash there can be two: one that had finished, which the
// store had not heard of yet, and the next one.
func (m *model) same(s persist.Job, key string) (found *modelJob) {
	for _, j := range m.jobs {
		alike := (s.Unique == "-") == (j.Unique == "-") || s.Unique == "-" && j.Unique == string(j.Payload)
		if key != "" && j.key == key && j.Function == s.Function && alike {
			found = j
		}
	}
	return found
}

func (m *model) create(c *modelConn, j *modelJob) {
	m.seq++
	j.ID, j.Prefix = persist.JobID{Epoch: m.epoch, Seq: m.seq}, m.cfg.HandlePrefix
	j.handle = fmt.Sprintf("%s:%d-%d", j.Prefix, m.epoch, m.seq)
	if m.handles[j.handle] {
		m.failf("the handle %s is given for a second time", j.handle)
	}
	m.handles[j.handle] = true
	m.jobs = append(m.jobs, j)
	if j.background {
		j.put = storing
		j.waiters = append(j.waiters, c.wait())
		return
	}
	j.clients = append(j.clients, c)
	m.reveal(j)
	c.say(packet(protocol.JobCreated, j.handle))
	m.enqueue(j)
}

// reveal notes that a job can be known to somebody.
func (m *model) reveal(j *modelJob) {
	m.known++
	j.known = m.known
}

// join is a submission with the unique id of a job that there is.
func (m *model) join(c *modelConn, j *modelJob, background bool) {
	if !background {
		if why := m.clientOver(j); why != noLimit {
			m.refuse(c, why)
			return
		}
		j.clients = append(j.clients, c)
	} else if !j.background {
		j.background, j.put = true, storing
	}
	if j.put == storing && (background || j.state == pending) {
		j.waiters = append(j.waiters, c.wait())
		return
	}
	c.say(packet(protocol.JobCreated, j.handle))
}

func (m *model) enqueue(j *modelJob) {
	j.state = queued
	m.queue = append(m.queue, j)
	m.enqueued++
	m.park()
}

func (m *model) dequeue(j *modelJob) {
	m.queue = slices.DeleteFunc(m.queue, func(q *modelJob) bool { return q == j })
}

// vanish is the end of a job.
func (m *model) vanish(j *modelJob) {
	m.dequeue(j)
	m.jobs = slices.DeleteFunc(m.jobs, func(k *modelJob) bool { return k == j })
	j.state, j.timer, j.clients = done, nil, nil
	if j.put != unstored {
		m.gone[j.ID] = j
	}
}

func (m *model) setTimer(j *modelJob, t modelTimer) {
	m.timers++
	t.number = m.timers
	j.timer = &t
}

// tick does what is due.
func (m *model) tick() {
	for _, c := range m.conns {
		if c.sleep == woken && m.clock.ran >= c.noopAt+time.Duration(patience) {
			c.silent = true
		}
	}
	for {
		j := m.firstDue()
		if j == nil || j.timer.due(m.clock) > 0 {
			return
		}
		j.timer = nil
		if j.state == running {
			j.worker.taken[j.ID] = true
			m.requeue(j)
		} else {
			m.enqueue(j)
		}
	}
}

// firstDue is the job whose timer is due first.
func (m *model) firstDue() (first *modelJob) {
	for _, j := range m.jobs {
		if j.timer == nil {
			continue
		}
		if first != nil {
			a, b := j.timer.due(m.clock), first.timer.due(m.clock)
			if a > b || a == b && j.timer.number > first.timer.number {
				continue
			}
		}
		first = j
	}
	return first
}

// submission takes a packet of the SUBMIT family apart.
func (m *model) submission(c *modelConn, t protocol.Type, body string) {
	parts := map[protocol.Type]int{
		protocol.SubmitJobEpoch: 4, protocol.SubmitJobSched: 8, protocol.SubmitReduceJob: 5, protocol.SubmitReduceJobBG: 5,
	}[t]
	a := strings.SplitN(body, "\x00", max(parts, 3))
	s := persist.Job{Function: a[0], Unique: a[1], Payload: []byte(a[len(a)-1]), Priority: persist.Normal}
	background := t != protocol.SubmitJob && t != protocol.SubmitJobHigh && t != protocol.SubmitJobLow && t != protocol.SubmitReduceJob
	switch t {
	case protocol.SubmitJobHigh, protocol.SubmitJobHighBG:
		s.Priority = persist.High
	case protocol.SubmitJobLow, protocol.SubmitJobLowBG:
		s.Priority = persist.Low
	case protocol.SubmitJobEpoch:
		seconds, _ := strconv.ParseInt(a[2], 10, 64)
		if due := time.Unix(seconds, 0); due.After(m.clock.wall) {
			s.Due = due
		}
	case protocol.SubmitJobSched:
		s.Due = m.nextMinute(a[2], a[3])
	case protocol.SubmitReduceJob, protocol.SubmitReduceJobBG:
		s.Reducer, s.HasReducer = a[2], a[2] != ""
	}
	m.submit(c, s, background)
}

// nextMinute looks at one minute after the other.
func (m *model) nextMinute(minute, hour string) time.Time {
	is := func(field string, n int) bool { return field == "*" || field == strconv.Itoa(n) }
	t := m.clock.wall.UTC().Truncate(time.Minute).Add(time.Minute)
	for !is(minute, t.Minute()) || !is(hour, t.Hour()) {
		t = t.Add(time.Minute)
	}
	return t
}
