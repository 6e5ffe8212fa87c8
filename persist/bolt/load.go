package bolt

import (
	"bytes"
	"fmt"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"gearbolt/persist"
)

// Load implements [persist.Store]. It reads the file once, from beginning to
// end, and holds no more than one job at a time.
func (s *Store) Load(f func(persist.Change) error) error {
	return s.view(func(tx *bbolt.Tx) error {
		if err := s.loadLimits(tx.Bucket(bucketLimits), f); err != nil {
			return err
		}
		return s.loadJobs(tx.Bucket(bucketJobs), tx.Bucket(bucketAttempts), f)
	})
}

func (s *Store) loadLimits(limits *bbolt.Bucket, f func(persist.Change) error) error {
	return limits.ForEach(func(key, value []byte) error {
		l, err := decodeLimit(key, value)
		if err != nil {
			return s.fail(s.refuse("the limit of function %q: %w", bytes.TrimPrefix(key, []byte("f")), err))
		}
		return f(persist.Change{Kind: persist.SetLimit, Limit: &l})
	})
}

// loadJobs walks through jobs and attempts side by side, as both are in the
// order of the job numbers.
func (s *Store) loadJobs(jobs, attempts *bbolt.Bucket, f func(persist.Change) error) error {
	var d decoder
	later := attempts.Cursor()
	attemptKey, attemptValue := later.First()
	return jobs.ForEach(func(key, value []byte) error {
		j, err := d.job(key, value)
		if err != nil {
			return s.fail(s.refuse("job %s: %w", nameOf(key), err))
		}
		for attemptKey != nil && bytes.Compare(attemptKey, key) < 0 {
			attemptKey, attemptValue = later.Next()
		}
		if bytes.Equal(attemptKey, key) {
			if j.Attempts, err = decodeAttempts(key, attemptValue); err != nil {
				return s.fail(s.refuse("the attempts of job %s: %w", nameOf(key), err))
			}
		}
		j.Payload = bytes.Clone(j.Payload)
		return f(persist.Change{Kind: persist.PutJob, Job: &j})
	})
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
		value := tx.Bucket(bucketJobs).Get(key)
		if value == nil {
			return persist.ErrNotFound
		}
		j, err := d.job(key, value)
		if err != nil {
			return s.fail(s.refuse("job %s: %w", id, err))
		}
		payload = append([]byte{}, j.Payload...)
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
