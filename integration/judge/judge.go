package judge

import (
	"time"

	"gearbolt/persist"
)

// Judge holds the book against what is there after a fault, and returns what
// does not balance since it was asked last. Nobody talks to the server between
// the look at it and the judgement.
//
// A job that is not there after a restart, as it may, is gone for good: if it
// comes back later, that is a violation.
func (b *Book) Judge(a *After) []Violation {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a.Server != nil {
		b.judgeServer(a.Server)
	}
	if a.Store != nil {
		b.judgeStore(a.Store)
	}
	found := b.found
	b.found = nil
	return found
}

func (b *Book) judgeServer(s *Server) {
	known := make(map[string]bool, len(s.Jobs))
	strangers := 0
	for _, handle := range s.Jobs {
		if known[handle] {
			b.violate(I5Integrity, b.entries[handle], "%s is listed twice", handle)
		}
		known[handle] = true
		if !b.present(handle, b.life) {
			strangers++
		}
	}
	if strangers > b.unanswered {
		b.violate(I3NoPhantom, nil, "%d jobs are there under handles that nobody was told, and %d submissions have no answer", strangers, b.unanswered)
	}
	b.judgeCounts(s, strangers)
	if s.Alive != nil {
		b.violate(I6Liveness, nil, "%v", s.Alive)
	}
	b.judgeOpen(known, false)
}

// present judges a job that is there in some life, and reports whether anybody
// knows it.
func (b *Book) present(handle string, life int) bool {
	x := b.entries[handle]
	if x == nil {
		return false
	}
	if b.endedBefore(x, b.events[len(b.events)-1].At+1, life) {
		b.violate(I4SingleCompletion, x, "%s is back although its end was taken", handle)
	}
	if x.job == nil {
		b.violate(I3NoPhantom, x, "%s is there, and nobody submitted it", handle)
	}
	x.there(life)
	return true
}

// endedBefore reports whether a job must be unknown to whoever asks a server in
// the given life at t.
func (b *Book) endedBefore(x *entry, t time.Duration, life int) bool {
	taken := x.end == confirmed || x.end == heard && (x.endLife == life || b.inPeace[x.endLife])
	return x.vanished || taken && x.endAt < t || x.cancelled > 0 && x.cancelled < t
}

// judgeOpen looks for all jobs that are to be there.
func (b *Book) judgeOpen(known map[string]bool, stored bool) {
	for x := range b.open {
		if known[x.handle] {
			continue
		}
		switch {
		case x.mayBeGone(b.Retries):
		case x.late:
			b.violate(I4SingleCompletion, x, "%s is gone, and only somebody who did not hold it has said that it is done", x.handle)
		default:
			b.violate(I1NoLoss, x, "%s was acknowledged, nobody has ended it, and it is not there", x.handle)
		}
		if stored || x.endLife < b.life {
			x.vanished = true
			delete(b.open, x)
		}
	}
}

// judgeCounts compares the counters with the jobs that are there.
func (b *Book) judgeCounts(s *Server, strangers int) {
	perFunction, total := make(map[string]int), 0
	for _, handle := range s.Jobs {
		if x := b.entries[handle]; x != nil && x.job != nil {
			perFunction[x.job.Function]++
		}
	}
	for name, c := range s.Counts {
		total += c.Total
		if n := perFunction[name]; c.Total < n || c.Total > n+strangers {
			b.violate(I5Integrity, nil, "status counts %d jobs of %s, and %d are there", c.Total, name, n)
		}
		if waiting := c.High + c.Normal + c.Low; waiting+c.Running != c.Total {
			b.violate(I5Integrity, nil, "of %s %d jobs wait and %d run, and that makes %d", name, waiting, c.Running, c.Total)
		}
		delete(perFunction, name)
	}
	for name, n := range perFunction {
		b.violate(I5Integrity, nil, "status does not know %s, of which there are %d jobs", name, n)
	}
	if total != len(s.Jobs) {
		b.violate(I5Integrity, nil, "status counts %d jobs, and %d are there", total, len(s.Jobs))
	}
}

func (b *Book) judgeStore(s *Store) {
	if s.Err != nil {
		b.violate(I5Integrity, nil, "the store cannot be read: %v", s.Err)
		return
	}
	known := make(map[string]bool, len(s.Jobs))
	for i := range s.Jobs {
		j := &s.Jobs[i]
		known[HandleOf(j)] = true
		b.judgeRecord(j)
	}
	b.judgeOpen(known, true)
}

// judgeRecord judges a job that is in the store.
func (b *Book) judgeRecord(j *persist.Job) {
	x, s := b.entry(HandleOf(j)), b.submissions[TokenOf(string(j.Payload))]
	if s == nil {
		b.violate(I3NoPhantom, x, "the store has %s, and nobody submitted it: %.100q", x.handle, j.Payload)
		return
	}
	b.identify(s, x)
	if what := differs(j, s.Job); what != "" {
		b.violate(I3NoPhantom, x, "the store has %s with another %s than it was submitted with", s.Token, what)
	}
	b.present(x.handle, b.life+1) // a store is what the next life has
}

// differs says in which field a record is not what was submitted, or "".
func differs(j *persist.Job, s *Job) string {
	switch {
	case j.Function != s.Function:
		return "function"
	case j.Unique != s.Unique:
		return "unique id"
	case string(j.Payload) != s.Payload:
		return "payload"
	case j.Reducer != s.Reducer:
		return "reducer"
	case j.Priority != s.Priority():
		return "priority"
	case !j.Due.IsZero() && !s.Due.IsZero() && !j.Due.Equal(s.Due):
		return "time"
	}
	return ""
}
