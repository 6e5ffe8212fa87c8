package bolt

import (
	"bytes"
	"fmt"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"

	"gearbolt/persist"
)

// Load implements [persist.Store]. It reads the file once, from beginning to
// end, and holds no more than one job at a time. When all of it is good, it
// counts the start.
func (s *Store) Load(f func(persist.Change) error) error {
	s.ledger = ledger{}
	err := s.view(func(tx *bbolt.Tx) error {
		if err := s.loadLimits(tx.Bucket(bucketLimits), f); err != nil {
			return err
		}
		if err := s.loadJobs(tx, f); err != nil {
			return err
		}
		if err := s.compareLedger(tx.Bucket(bucketMeta)); err != nil {
			return s.fail(s.refuse("%w", err))
		}
		s.unlook(tx)
		return nil
	})
	if err != nil || s.counted {
		return err
	}
	return s.guarded(s.count)
}

// compareLedger compares what was loaded with what was kept. Older formats have
// no ledger.
func (s *Store) compareLedger(meta *bbolt.Bucket) error {
	if v, err := getNumber(meta, keyFormat); err != nil || v < formatLedger {
		return err
	}
	l, err := getLedger(meta)
	if err != nil {
		return fmt.Errorf("its ledger: %w", err)
	}
	return l.compare(s.ledger)
}

// unlook takes what was read of the file's mapping out of the process's memory,
// where it would count for as long as the process lives. It stays in the
// kernel's cache.
func (s *Store) unlook(tx *bbolt.Tx) {
	unix.Syscall(unix.SYS_MADVISE, s.db.Info().Data, uintptr(tx.Size()), unix.MADV_DONTNEED) // only a hint
}

func (s *Store) loadLimits(limits *bbolt.Bucket, f func(persist.Change) error) error {
	return limits.ForEach(func(key, value []byte) error {
		l, err := decodeLimit(key, value)
		if err != nil {
			return s.fail(s.refuse("the limit of function %q: %w", bytes.TrimPrefix(key, []byte("f")), err))
		}
		s.ledger.add(kindLimits, key, value)
		return f(persist.Change{Kind: persist.SetLimit, Limit: &l})
	})
}

// loadJobs walks through jobs, parts and attempts side by side, as all are in
// the order of the job numbers.
func (s *Store) loadJobs(tx *bbolt.Tx, f func(persist.Change) error) error {
	var d decoder
	attempts, large := newAside(tx, bucketAttempts), newAside(tx, bucketParts)
	told := error(nil) // f's error
	err := eachJob(tx.Bucket(bucketJobs), func(key, value []byte) error {
		j, err := d.job(key, value)
		if err != nil {
			return fmt.Errorf("job %s: %w", nameOf(key), err)
		}
		s.ledger.add(kindJobs, key, value)
		if attempts.has(key) {
			value := attempts.take()
			if j.Attempts, err = decodeAttempts(key, value); err != nil {
				return fmt.Errorf("the attempts of job %s: %w", nameOf(key), err)
			}
			s.ledger.add(kindAttempts, key, value)
		}
		if large.has(key) && j.count > 0 {
			large.take()
		}
		if j.Payload, err = payloadOf(tx, key, j, &s.ledger); err != nil {
			return fmt.Errorf("job %s: %w", nameOf(key), err)
		}
		told = f(persist.Change{Kind: persist.PutJob, Job: &j.Job})
		return told
	})
	if err != nil && told == nil {
		err = s.fail(s.refuse("%w", err))
	}
	for _, a := range []*aside{attempts, large} {
		if err == nil && a.anyLeft() {
			err = s.fail(s.refuse("%w: there are %s of job %s, which is missing", errDamaged, a.what, nameOf(a.left)))
		}
	}
	return err
}

// An aside is a bucket that has something of some jobs, by their numbers.
type aside struct {
	what       []byte // its name
	cursor     *bbolt.Cursor
	key, value []byte
	left       []byte // the last key that was not taken
}

func newAside(tx *bbolt.Tx, name []byte) *aside {
	a := &aside{what: name}
	if b := tx.Bucket(name); b != nil { // format 1 has no parts
		a.cursor = b.Cursor()
		a.key, a.value = a.cursor.First()
	}
	return a
}

// has reports whether there is something of the job with this key, which is
// greater than the last one that was asked for.
func (a *aside) has(key []byte) bool {
	for a.key != nil && bytes.Compare(a.key, key) < 0 {
		a.left = a.key
		a.take()
	}
	return bytes.Equal(a.key, key)
}

// take returns what has has found.
func (a *aside) take() (value []byte) {
	value = a.value
	a.key, a.value = a.cursor.Next()
	return value
}

// anyLeft reports whether something was not taken.
func (a *aside) anyLeft() bool {
	if a.key != nil {
		a.left = a.key
	}
	return a.left != nil
}

// payloadOf returns a copy of the payload of job j, which stands under key, and
// adds its parts to a ledger.
func payloadOf(tx *bbolt.Tx, key []byte, j record, l *ledger) ([]byte, error) {
	if j.count == 0 {
		return append([]byte{}, j.Payload...), nil
	}
	all := tx.Bucket(bucketParts)
	if all == nil { // of format 1
		return j.join(key, nil, l)
	}
	return j.join(key, all.Bucket(key), l)
}

// nameOf returns a key for an error message.
func nameOf(key []byte) string {
	if id, err := decodeKey(key); err == nil {
		return id.String()
	}
	return fmt.Sprintf("%x", key)
}

// Payload implements [persist.Store].
func (s *Store) Payload(id persist.JobID) ([]byte, error) {
	var payload []byte
	read := func(tx *bbolt.Tx) error {
		var d decoder
		key := appendKey(nil, id)
		value, err := findJob(tx.Bucket(bucketJobs), id)
		if value == nil && err == nil {
			return persist.ErrNotFound
		}
		var j record
		if err == nil {
			j, err = d.job(key, value)
		}
		if err == nil {
			payload, err = payloadOf(tx, key, j, new(ledger))
		}
		if err != nil {
			return s.fail(s.refuse("job %s: %w", id, err))
		}
		return nil
	}
	err := s.guarded(func() error { return s.view(read) })
	return payload, err
}

// view calls f in a read-only transaction, unless the store has failed.
func (s *Store) view(f func(*bbolt.Tx) error) error {
	if err := s.failure(); err != nil {
		return err
	}
	err := s.db.View(f)
	if err == berrors.ErrDatabaseNotOpen {
		return persist.ErrClosed
	}
	return err
}
