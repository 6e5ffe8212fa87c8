package bolt

import (
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"gearbolt/persist"
)

// A work is a transaction being filled.
type work struct {
	items           []item
	parts, attempts *bbolt.Bucket
	limits          *bbolt.Bucket
	arena           *arena
	record          []byte // memory for a job's
	room            room
	ledger          ledger
	anyAttempts     bool // the bucket may not be empty
}

// apply carries out those items that are not refused, refuses the jobs that
// there is no room for, and returns the new ledger.
func (s *Store) apply(tx *bbolt.Tx, items []item) (ledger, error) {
	s.writer.arena.reset()
	w := work{
		items:    items,
		parts:    tx.Bucket(bucketParts),
		attempts: tx.Bucket(bucketAttempts),
		limits:   tx.Bucket(bucketLimits),
		arena:    &s.writer.arena,
		record:   s.writer.record,
		room:     s.room(tx),
		ledger:   s.ledger,
	}
	w.anyAttempts = !isEmpty(w.attempts)
	edits, err := w.take(s.writer.edits[:0])
	if err != nil {
		return ledger{}, err
	}
	p := &s.writer.packs
	p.bucket, p.arena, p.resolve = tx.Bucket(bucketJobs), w.arena, w.resolve
	p.sparing = time.Now().Before(s.writer.pause)
	// New jobs are appended: nothing will be put between those of a full page.
	p.bucket.FillPercent = 1
	if err := p.edit(edits); err != nil {
		return ledger{}, err
	}
	s.writer.edits, s.writer.record = edits, w.record
	if w.ledger != s.ledger {
		err = w.ledger.put(tx.Bucket(bucketMeta))
	}
	return w.ledger, err
}

// take carries out what is about no job, and appends what is to edits.
func (w *work) take(edits []edit) ([]edit, error) {
	for i := range w.items {
		it := &w.items[i]
		if it.err != nil {
			continue
		}
		switch c := it.change; c.Kind {
		case persist.PutJob:
			if w.room.take(c.Job) {
				edits = append(edits, edit{c.Job.ID, i})
			} else {
				it.err = w.room.short()
			}
		case persist.DeleteJob, persist.SetAttempt:
			edits = append(edits, edit{c.ID, i})
		case persist.SetLimit:
			if err := w.limit(c.Limit); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("a change of unknown kind %d", c.Kind)
		}
	}
	return edits, nil
}

func isEmpty(b *bbolt.Bucket) bool {
	first, _ := b.Cursor().First()
	return first == nil
}

// resolve makes the changes to one job, whose record is old, or nil.
func (w *work) resolve(old []byte, edits []edit) (now []byte, err error) {
	now = old
	for _, e := range edits {
		switch c := w.items[e.n].change; c.Kind {
		case persist.PutJob:
			if err = w.forget(e.id, now); err == nil {
				now, err = w.put(c.Job)
			}
		case persist.DeleteJob:
			err = w.forget(e.id, now)
			now = nil
		case persist.SetAttempt:
			err = w.attempt(e.id, now, c.Attempts)
		}
		if err != nil {
			return nil, err
		}
	}
	return now, nil
}

// put returns the record of a job.
func (w *work) put(j *persist.Job) (value []byte, err error) {
	key := w.key(j.ID)
	if isLarge(j.Payload) {
		if err := w.putParts(key, j.Payload); err != nil {
			return nil, err
		}
	}
	if n := recordSize(j); n <= packSize {
		w.record = appendJob(w.record[:0], j)
		value = w.record
	} else {
		value = appendJob(w.arena.take(n), j)
	}
	seal(key, value)
	w.ledger.add(kindJobs, key, value)
	return value, nil
}

// forget notes that the record of a job goes, and removes what is kept beside
// it: most have none.
func (w *work) forget(id persist.JobID, record []byte) error {
	if record == nil {
		return nil
	}
	key := w.key(id)
	w.ledger.remove(kindJobs, key, record)
	if record[crcSize] == jobInParts {
		if err := w.deleteParts(key); err != nil {
			return err
		}
	}
	if !w.anyAttempts {
		return nil
	}
	if old := w.attempts.Get(key); old != nil {
		w.ledger.remove(kindAttempts, key, old)
		return w.attempts.Delete(key)
	}
	return nil
}

// attempt keeps the attempts beside the job, if there is one, whose payload is
// not to be written again for them.
func (w *work) attempt(id persist.JobID, record []byte, n uint32) error {
	if record == nil {
		return nil
	}
	w.anyAttempts = true
	key := w.key(id)
	value := appendAttempts(w.arena.take(attemptsSize), n)
	return w.replace(kindAttempts, w.attempts, key, value)
}

// replace seals value and puts it under key.
func (w *work) replace(k kind, in *bbolt.Bucket, key, value []byte) error {
	if old := in.Get(key); old != nil {
		w.ledger.remove(k, key, old)
	}
	seal(key, value)
	w.ledger.add(k, key, value)
	return in.Put(key, value)
}

func (w *work) limit(l *persist.Limit) error {
	key := limitKey(w.arena.take(1+len(l.Function)), l.Function)
	if !l.IsZero() {
		return w.replace(kindLimits, w.limits, key, appendLimit(w.arena.take(limitSize), l))
	}
	if old := w.limits.Get(key); old != nil {
		w.ledger.remove(kindLimits, key, old)
	}
	return w.limits.Delete(key)
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
