// Package memory is the store for those who want none: it keeps background
// jobs for as long as the process runs.
package memory

import (
	"bytes"
	"sync"
	"sync/atomic"
	"time"

	"gearbolt/persist"
	"gearbolt/persist/internal/inbox"
)

// A Store is a [persist.Store] whose stable storage is the process's memory.
// It keeps the payloads, which is all that it can be asked for: everything else
// it would only have to tell after a restart, which it does not live to see.
type Store struct {
	epoch uint64
	inbox *inbox.Inbox

	mu       sync.Mutex
	payloads map[persist.JobID][]byte
}

var _ persist.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	s := &Store{epoch: nextEpoch(), payloads: make(map[persist.JobID][]byte)}
	s.inbox = inbox.New(s.serve)
	return s
}

// lastEpoch is the newest epoch that this process has given out.
var lastEpoch atomic.Uint64

// nextEpoch returns the Unix time in milliseconds: with nowhere to keep a count
// of starts, the clock stands in for it. Two starts in one millisecond get
// different ones nevertheless.
func nextEpoch() uint64 {
	now := uint64(time.Now().UnixMilli())
	for {
		last := lastEpoch.Load()
		next := max(now, last+1)
		if lastEpoch.CompareAndSwap(last, next) {
			return next
		}
	}
}

// Epoch is the Unix time of the start in milliseconds, so that no job number
// is given twice as long as the clock is not set back.
func (s *Store) Epoch() uint64 { return s.epoch }

// Load finds nothing: what an earlier process kept went with it.
func (s *Store) Load(func(persist.Change) error) error { return nil }

// Commit implements [persist.Store]. No change is ever refused.
func (s *Store) Commit(changes []persist.Change, done func(error)) { s.inbox.Put(changes, done) }

// Payload implements [persist.Store].
func (s *Store) Payload(id persist.JobID) ([]byte, error) {
	s.mu.Lock()
	p, ok := s.payloads[id]
	s.mu.Unlock()
	if !ok {
		return nil, persist.ErrNotFound
	}
	return bytes.Clone(p), nil // a kept slice is never written to, so the lock is not needed here
}

// Close implements [persist.Store].
func (s *Store) Close() error {
	s.inbox.Close()
	return nil
}

func (s *Store) serve(group []inbox.Commit) {
	for _, c := range group {
		s.keep(c.Changes)
		c.Done(nil)
	}
}

func (s *Store) keep(changes []persist.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range changes {
		switch c.Kind {
		case persist.PutJob:
			// A copy, since the bytes are the caller's again after done.
			s.payloads[c.Job.ID] = append([]byte{}, c.Job.Payload...)
		case persist.DeleteJob:
			delete(s.payloads, c.ID)
		}
	}
}
