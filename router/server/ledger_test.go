package server

import (
	"sync"

	"gearbolt/persist"
)

// A ledger is a store whose commits wait, when a test holds them, until the
// test answers them.
type ledger struct {
	mu      sync.Mutex
	held    bool
	waiting []waitingCommit
	jobs    map[persist.JobID]persist.Job
	limits  map[string]persist.Limit
	before  []persist.Change // what Load tells
	loadErr error

	reading    chan struct{} // Payload waits until it is closed; nil: it does not
	payloadErr error
}

type waitingCommit struct {
	changes []persist.Change
	done    func(error)
}

var _ persist.Store = (*ledger)(nil)

func newLedger() *ledger {
	return &ledger{jobs: make(map[persist.JobID]persist.Job), limits: make(map[string]persist.Limit)}
}

func (l *ledger) Epoch() uint64 { return 1 }

func (l *ledger) Load(f func(persist.Change) error) error {
	for _, c := range l.before {
		l.keep(c)
		if err := f(c); err != nil {
			return err
		}
	}
	return l.loadErr
}

func (l *ledger) Commit(changes []persist.Change, done func(error)) {
	l.mu.Lock()
	l.waiting = append(l.waiting, waitingCommit{changes, done})
	held := l.held
	l.mu.Unlock()
	if !held {
		go l.answer(nil)
	}
}

// hold has commits wait from now on, or no longer.
func (l *ledger) hold(held bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = held
}

// answer ends the commit that waits, and says whether there was one.
func (l *ledger) answer(err error) bool {
	l.mu.Lock()
	if len(l.waiting) == 0 {
		l.mu.Unlock()
		return false
	}
	c := l.waiting[0]
	l.waiting = l.waiting[1:]
	refused, _ := err.(*persist.RefusedError)
	if err == nil || refused != nil {
		l.keepAll(c.changes, refused)
	}
	l.mu.Unlock()
	c.done(err)
	return true
}

func (l *ledger) keepAll(changes []persist.Change, refused *persist.RefusedError) {
	not := make(map[int]bool)
	if refused != nil {
		for _, r := range refused.Refused {
			not[r.Index] = true
		}
	}
	for i, c := range changes {
		if !not[i] {
			l.keep(c)
		}
	}
}

func (l *ledger) keep(c persist.Change) {
	switch c.Kind {
	case persist.PutJob:
		l.jobs[c.Job.ID] = *c.Job
	case persist.DeleteJob:
		delete(l.jobs, c.ID)
	case persist.SetAttempt:
		j := l.jobs[c.ID]
		j.Attempts = c.Attempts
		l.jobs[c.ID] = j
	case persist.SetLimit:
		l.limits[c.Limit.Function] = *c.Limit
	}
}

// kept is how many jobs are on stable storage, offered how many changes wait.
func (l *ledger) kept() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.jobs)
}

func (l *ledger) offered() (changes, bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.waiting {
		changes += len(w.changes)
		for _, c := range w.changes {
			if c.Job != nil {
				bytes += len(c.Job.Payload)
			}
		}
	}
	return changes, bytes
}

func (l *ledger) Payload(id persist.JobID) ([]byte, error) {
	if l.reading != nil {
		<-l.reading
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	j, ok := l.jobs[id]
	switch {
	case l.payloadErr != nil:
		return nil, l.payloadErr
	case !ok:
		return nil, persist.ErrNotFound
	}
	return append([]byte{}, j.Payload...), nil
}

func (l *ledger) Close() error { return nil }
