package router

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"

	"gearbolt/persist"
)

// A simStore is a store that does only what it is told to: it carries a batch
// out, or refuses parts of it, or is interrupted before or after.
type simStore struct {
	epoch  uint64
	jobs   map[persist.JobID]persist.Job
	limits map[string]persist.Limit

	batch []persist.Change // under way
	asWas []persist.Change // a copy, since the batch must not change meanwhile
}

func newSimStore() *simStore {
	return &simStore{epoch: 1, jobs: make(map[persist.JobID]persist.Job), limits: make(map[string]persist.Limit)}
}

// begin takes a batch.
func (s *simStore) begin(batch []persist.Change) {
	s.batch = batch
	s.asWas = make([]persist.Change, len(batch))
	for i, c := range batch {
		s.asWas[i] = clone(c)
	}
}

func clone(c persist.Change) persist.Change {
	if c.Job != nil {
		j := *c.Job
		j.Payload = bytes.Clone(j.Payload)
		c.Job = &j
	}
	if c.Limit != nil {
		l := *c.Limit
		c.Limit = &l
	}
	return c
}

// finish carries the batch out, but for what is refused.
func (s *simStore) finish(refused map[int]error) error {
	for i, c := range s.batch {
		if !reflect.DeepEqual(clone(c), s.asWas[i]) {
			return fmt.Errorf("change %d was altered while the store had it", i)
		}
		if refused[i] == nil {
			s.apply(s.asWas[i])
		}
	}
	s.batch = nil
	return nil
}

func (s *simStore) apply(c persist.Change) {
	switch c.Kind {
	case persist.PutJob:
		s.jobs[c.Job.ID] = *c.Job
	case persist.DeleteJob:
		delete(s.jobs, c.ID)
	case persist.SetAttempt:
		if j, ok := s.jobs[c.ID]; ok {
			j.Attempts = c.Attempts
			s.jobs[c.ID] = j
		}
	case persist.SetLimit:
		putLimit(s.limits, *c.Limit)
	}
}

// ids are the numbers of the jobs, in their order.
func (s *simStore) ids() []persist.JobID {
	ids := make([]persist.JobID, 0, len(s.jobs))
	for id := range s.jobs {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, persist.JobID.Compare)
	return ids
}

// load is [persist.Store.Load].
func (s *simStore) load(f func(persist.Change)) {
	for _, l := range s.limits {
		f(persist.Change{Kind: persist.SetLimit, Limit: &l})
	}
	for _, id := range s.ids() {
		j := s.jobs[id]
		j.Payload = bytes.Clone(j.Payload)
		f(persist.Change{Kind: persist.PutJob, Job: &j})
	}
}
