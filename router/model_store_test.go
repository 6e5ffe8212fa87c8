package router

import (
	"bytes"
	"errors"
	"slices"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// modelLimits are what "maxqueue" has set.
type modelLimits struct {
	now     map[string]persist.Limit // in force
	stored  map[string]persist.Limit
	waiting []limitReply // commands that wait for the store
}

type limitReply struct {
	persist.Limit
	reply *modelReply
}

func putLimit(in map[string]persist.Limit, l persist.Limit) {
	if delete(in, l.Function); !l.IsZero() {
		in[l.Function] = l
	}
}

// taken looks at a batch on its way to the store: everything in it must have a
// reason.
func (m *model) taken(batch []persist.Change) {
	m.batch = batch
	limits := 0
	for _, c := range batch {
		switch c.Kind {
		case persist.PutJob:
			m.takenPut(c.Job)
		case persist.DeleteJob:
			if m.gone[c.ID] == nil {
				m.failf("job %v is deleted from the store, and is not finished there", c.ID)
			}
		case persist.SetAttempt:
			if j := m.byID(c.ID); j != nil && c.Attempts > j.Attempts {
				m.failf("job %v is stored with %d attempts; it had %d", c.ID, c.Attempts, j.Attempts)
			}
		case persist.SetLimit:
			if limits++; limits > len(m.limits.waiting) || m.limits.waiting[limits-1].Limit != *c.Limit {
				m.failf("the limit %v is stored, which nobody set", *c.Limit)
			}
		}
	}
}

// takenPut holds what is stored of a job against what was submitted.
func (m *model) takenPut(p *persist.Job) {
	j := m.byID(p.ID)
	if j == nil {
		j = m.gone[p.ID]
	}
	if j == nil || j.put != storing {
		m.failf("job %v is stored, which was not to be", p.ID)
	}
	same := p.Prefix == j.Prefix && p.Function == j.Function && p.Unique == j.Unique && p.Reducer == j.Reducer &&
		p.HasReducer == j.HasReducer && bytes.Equal(p.Payload, j.Payload) && p.Priority == j.Priority &&
		p.Attempts <= j.Attempts && p.Due.Equal(j.Due)
	if !same {
		m.failf("job %+v is stored as %+v", j.Job, *p)
	}
}

func (m *model) byID(id persist.JobID) *modelJob {
	for _, j := range m.jobs {
		if j.ID == id {
			return j
		}
	}
	return nil
}

// committed is the store's answer to the batch.
func (m *model) committed(refused map[int]error) {
	var admitted []*modelJob
	for i, c := range m.batch {
		switch c.Kind {
		case persist.PutJob:
			if j := m.settle(c.Job.ID, refused[i]); j != nil && refused[i] == nil {
				admitted = append(admitted, j)
			}
		case persist.DeleteJob:
			m.deleted(c.ID, refused[i])
		case persist.SetLimit:
			m.limited(refused[i])
		}
	}
	m.batch = nil
	for _, j := range admitted {
		if j.state == pending {
			m.admit(j)
		}
	}
}

// settle notes what became of a job in the store.
func (m *model) settle(id persist.JobID, err error) *modelJob {
	j := m.byID(id)
	if j == nil {
		j = m.gone[id]
	}
	word := packet(protocol.JobCreated, j.handle)
	if j.put = stored; err != nil {
		j.put = unstored
		word = errorPacket("QUEUE_ERROR", "The job could not be stored: no space left")
		if errors.Is(err, persist.ErrTooLarge) {
			word = errorPacket("QUEUE_ERROR", "The job is too large to be stored")
		}
	}
	for _, r := range j.waiters {
		r.fill(word)
	}
	j.waiters = nil
	if err != nil {
		m.refused(j)
	}
	return j
}

func (m *model) refused(j *modelJob) {
	j.background = false
	switch {
	case j.state == done:
		// Its delete follows, and finds nothing.
	case j.state == pending, j.state == queued && len(j.clients) == 0:
		m.vanish(j)
	}
}

func (m *model) deleted(id persist.JobID, err error) {
	if r := m.cancels[id]; r != nil {
		r.fill(ok)
		delete(m.cancels, id)
	}
	if err == nil {
		delete(m.gone, id)
	}
}

const ok = `"OK\r\n"`

// limited answers the oldest "maxqueue" that waits. What is refused is undone,
// unless a later command has set another limit meanwhile.
func (m *model) limited(err error) {
	l := m.limits.waiting[0]
	m.limits.waiting = m.limits.waiting[1:]
	if err == nil {
		putLimit(m.limits.stored, l.Limit)
		l.reply.fill(ok)
	} else {
		l.reply.fill(`"ERR QUEUE_ERROR The+setting+could+not+be+stored\r\n"`)
	}
	for _, w := range m.limits.waiting {
		if w.Function == l.Function {
			return
		}
	}
	delete(m.limits.now, l.Function)
	if s, ok := m.limits.stored[l.Function]; ok {
		m.limits.now[l.Function] = s
	}
}

func (m *model) admit(j *modelJob) {
	m.reveal(j)
	if j.Due.After(m.clock.wall) {
		j.state = delayed
		m.setTimer(j, modelTimer{ofDay: j.Due})
		return
	}
	m.enqueue(j)
}

// fetched is the store's answer to a Fetch; found is whether it has the job.
func (m *model) fetched(f modelFetch, found bool) {
	if !found || f.job.worker != f.conn {
		f.reply.fill(packet(protocol.NoJob))
		return
	}
	f.reply.waiting = false
}

// restart is the model after a crash, built of what the store kept; before
// that it holds what the store kept against what it promised.
func (m *model) restart(s *simStore, cfg Config) *model {
	m.checkStore(s)
	after := newModel(m.clock, cfg, s.epoch, m.handles)
	for f, l := range s.limits {
		after.limits.now[f], after.limits.stored[f] = l, l
	}
	for _, id := range s.ids() {
		j := m.byID(id)
		if j == nil {
			j = m.gone[id]
		}
		back := &modelJob{Job: s.jobs[id], handle: j.handle, key: j.key, background: true, put: stored}
		after.jobs = append(after.jobs, back)
		after.functions[back.Function] = true
		after.admit(back)
	}
	return after
}

// checkStore finds jobs that were lost (acknowledged and not kept) and
// phantoms (kept and not submitted, or refused).
func (m *model) checkStore(s *simStore) {
	for _, j := range m.jobs {
		if _, kept := s.jobs[j.ID]; j.put == stored && !kept {
			m.failf("job %v was acknowledged and is lost", j.ID)
		}
	}
	for id := range s.jobs {
		if m.byID(id) == nil && m.gone[id] == nil {
			m.failf("job %v is in the store, and nobody submitted it, or it was refused", id)
		}
	}
	for f, l := range s.limits {
		set := slices.ContainsFunc(m.limits.waiting, func(w limitReply) bool { return w.Limit == l })
		if m.limits.stored[f] != l && !set {
			m.failf("the store has the limit %v, which nobody set", l)
		}
	}
}
