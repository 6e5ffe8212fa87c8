package bolt

import (
	"fmt"

	"go.etcd.io/bbolt"

	"gearbolt/persist"
)

// A work is a transaction being filled.
type work struct {
	jobs, parts, attempts, limits *bbolt.Bucket
	arena                         *arena
	room                          room

	anyParts, anyAttempts bool // these buckets may not be empty
}

// apply carries out those items that are not refused, and refuses the jobs that
// there is no room for.
func (s *Store) apply(tx *bbolt.Tx, items []item) error {
	s.writer.arena.reset()
	w := work{
		jobs:     tx.Bucket(bucketJobs),
		parts:    tx.Bucket(bucketParts),
		attempts: tx.Bucket(bucketAttempts),
		limits:   tx.Bucket(bucketLimits),
		arena:    &s.writer.arena,
		room:     s.room(tx),
	}
	// New jobs are appended: nothing will be put between those of a full page.
	w.jobs.FillPercent = 1
	w.anyParts, w.anyAttempts = !isEmpty(w.parts), !isEmpty(w.attempts)
	for i := range items {
		it := &items[i]
		if it.err != nil {
			continue
		}
		if it.isPut() && !w.room.take(it.change.Job) {
			it.err = w.room.short()
			continue
		}
		if err := w.change(it.change); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) change(c *persist.Change) error {
	switch c.Kind {
	case persist.PutJob:
		return w.put(c.Job)
	case persist.DeleteJob:
		return w.delete(c.ID)
	case persist.SetAttempt:
		return w.attempt(c.ID, c.Attempts)
	case persist.SetLimit:
		return w.limit(c.Limit)
	}
	return fmt.Errorf("a change of unknown kind %d", c.Kind)
}

func isEmpty(b *bbolt.Bucket) bool {
	first, _ := b.Cursor().First()
	return first == nil
}

func (w *work) put(j *persist.Job) error {
	key := w.key(j.ID)
	if err := w.forget(key); err != nil {
		return err
	}
	if isLarge(j.Payload) {
		if err := w.putParts(key, j.Payload); err != nil {
			return err
		}
	}
	value := appendJob(w.arena.take(recordSize(j)), j)
	seal(key, value)
	return w.jobs.Put(key, value)
}

func (w *work) delete(id persist.JobID) error {
	key := w.key(id)
	if err := w.forget(key); err != nil {
		return err
	}
	return w.jobs.Delete(key)
}

// forget removes what is kept of a job beside its record: most have none.
func (w *work) forget(key []byte) error {
	if w.anyParts {
		if err := w.deleteParts(key); err != nil {
			return err
		}
	}
	if w.anyAttempts {
		return w.attempts.Delete(key)
	}
	return nil
}

// attempt keeps the attempts beside the job, whose payload is not to be written
// again for them.
func (w *work) attempt(id persist.JobID, n uint32) error {
	key := w.key(id)
	if w.jobs.Get(key) == nil {
		return nil
	}
	w.anyAttempts = true
	value := appendAttempts(w.arena.take(attemptsSize), n)
	seal(key, value)
	return w.attempts.Put(key, value)
}

func (w *work) limit(l *persist.Limit) error {
	key := limitKey(w.arena.take(1+len(l.Function)), l.Function)
	if l.IsZero() {
		return w.limits.Delete(key)
	}
	value := appendLimit(w.arena.take(limitSize), l)
	seal(key, value)
	return w.limits.Put(key, value)
}

func (w *work) key(id persist.JobID) []byte { return appendKey(w.arena.take(keySize), id) }

// An arena hands out memory for the keys and values of one transaction, which
// bbolt wants unchanged until it ends.
type arena struct {
	free  []byte
	block []byte
}

// arenaBlock is how much of an arena is kept for the next transaction.
const arenaBlock = 256 << 10

// take returns an empty slice with room for n bytes.
func (a *arena) take(n int) []byte {
	if n > len(a.free) {
		if n > arenaBlock/4 {
			return make([]byte, 0, n)
		}
		a.block = make([]byte, arenaBlock)
		a.free = a.block
	}
	b := a.free[:0:n]
	a.free = a.free[n:]
	return b
}

// reset takes back everything that was handed out.
func (a *arena) reset() { a.free = a.block }
