package bolt

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// A Report is what [Check] found in a store's file.
type Report struct {
	Path        string   `json:"path"`
	Size        int64    `json:"size"`        // of the file, in bytes
	PageSize    int64    `json:"page_size"`   // in bytes
	Pages       uint64   `json:"pages"`       // in use and free
	FreePages   uint64   `json:"free_pages"`  // of those
	Format      uint64   `json:"format"`      // version of the format
	Epoch       uint64   `json:"epoch"`       // of its last start
	Transaction uint64   `json:"transaction"` // number of its last one
	Copy        bool     `json:"copy"`        // comes from a backup or a salvage
	Jobs        int64    `json:"jobs"`
	Bytes       int64    `json:"bytes"` // of the jobs' payloads
	Delayed     int64    `json:"delayed"`
	Limits      int64    `json:"limits"`
	Functions   []Tally  `json:"functions"` // in the order of their names
	Damage      []Damage `json:"damage"`
}

// A Tally is what a store has of one function.
type Tally struct {
	Function string `json:"function"`
	Jobs     int64  `json:"jobs"`
	Bytes    int64  `json:"bytes"`   // of their payloads
	Delayed  int64  `json:"delayed"` // of the jobs, those that are not due yet
	Retried  int64  `json:"retried"` // of the jobs, those that a worker has not finished before
}

// Check reads all of a store that no server uses, and changes nothing. path is
// its directory or its file; a copy may have any name. The error is why it could
// not look: that the store is damaged stands in the report.
func Check(path string, progress Progress) (*Report, error) {
	s, err := openStopped(path)
	if errors.Is(err, ErrInUse) {
		return nil, fmt.Errorf("%w; take a copy with gearbolt store backup, and check that", err)
	}
	if err != nil {
		return nil, err
	}
	defer s.close()
	return s.check(progress)
}

func (s *stopped) check(progress Progress) (*Report, error) {
	r := &Report{Path: s.path, Size: s.size, Functions: []Tally{}, Damage: []Damage{}}
	valid, invalid := s.metas()
	switch {
	case s.size == 0:
		r.Damage = append(r.Damage, Damage{What: "the file is empty, which a store never is", Lost: "everything"})
		return r, nil
	case len(valid) == 0:
		r.Damage = append(r.Damage, Damage{What: fmt.Sprintf("neither of its two meta pages is valid (%v; %v)", invalid[0], invalid[1]),
			Lost: "everything, as it seems; salvage looks for it"})
		return r, nil
	case len(invalid) > 0:
		// No power cut does this: all of it lies in one sector of the disk.
		r.Damage = append(r.Damage, Damage{Page: uint64(1 - valid[0].txid%2), What: invalid[0].Error() + "; the other one is used",
			Lost: "the last transaction, if this was its meta page"})
	}
	m := valid[0]
	r.PageSize, r.Pages, r.Transaction, r.Copy = m.pageSize, m.pages, m.txid, m.copied()
	if need := int64(m.pages) * m.pageSize; m.pages > 1<<40 || s.size < need {
		r.Damage = append(r.Damage, Damage{Page: uint64(s.size / m.pageSize),
			What: fmt.Sprintf("the file is cut off: %d bytes where %d are in use", s.size, need)})
	}
	c := newChecker(r)
	c.walk = newWalk(s.pager, m, c.record)
	c.walk.tick = ticker(progress, int64(m.pages), m.pageSize, &c.records)
	if err := c.walk.all(); err != nil {
		return nil, err
	}
	return r, c.finish()
}

// ticker tells progress of pages.
func ticker(progress Progress, all, pageSize int64, records *int64) func(uint64) error {
	if progress == nil {
		return func(uint64) error { return nil }
	}
	done := int64(0)
	return func(pages uint64) error {
		done += int64(pages)
		return progress(done*pageSize, all*pageSize, *records)
	}
}

// A checker counts the records of one tree, and compares those that belong
// together.
type checker struct {
	*Report
	walk      *walk
	now       time.Time
	records   int64
	ours      bool // it says that it is a store
	functions map[string]*Tally
	attempts  map[string]uint64     // page, by key, of those whose job was not met yet
	parts     map[string]*partsSeen // by the job's key, likewise
}

func newChecker(r *Report) *checker {
	return &checker{Report: r, now: time.Now(), functions: make(map[string]*Tally),
		attempts: make(map[string]uint64), parts: make(map[string]*partsSeen)}
}

// A partsSeen is what there is of a payload in parts.
type partsSeen struct {
	parts
	page uint64
}

func (c *checker) record(r stored) error {
	c.records++
	switch r.kind {
	case kindMeta:
		switch {
		case bytes.Equal(r.key, keyApplication):
			c.ours = true
		case bytes.Equal(r.key, keyFormat):
			c.Format = r.number
			return knownFormat(c.Path, r.number)
		case bytes.Equal(r.key, keyEpoch):
			c.Epoch = r.number
		}
	case kindLimits:
		c.Limits++
	case kindAttempts:
		c.attempts[string(r.key)] = r.page
	case kindParts:
		c.part(r)
	case kindJobs:
		c.job(r)
	}
	return nil
}

// part counts a part, or finds that there are some.
func (c *checker) part(r stored) {
	key := string(r.key[:keySize])
	p := c.parts[key]
	if p == nil {
		p = &partsSeen{page: r.page}
		c.parts[key] = p
	}
	if len(r.key) == keySize {
		return
	}
	if !bytes.Equal(r.key, partKey(nil, r.key[:keySize], int(p.count))) && !c.walk.mayHave(kindParts, r.key) {
		c.hurt(r.page, kindJobs, r.key[:keySize], "a part of its payload is missing")
	}
	p.count++
	p.length += uint64(len(r.value) - crcSize)
}

func (c *checker) job(r stored) {
	key, size := string(r.key), int64(len(r.job.Payload))
	if want := r.job.parts; want.count > 0 {
		size = int64(want.length)
		if p := c.parts[key]; p == nil || p.parts != want {
			c.hurt(r.page, kindJobs, r.key, "its payload is not complete")
		}
		delete(c.parts, key)
	}
	_, retried := c.attempts[key]
	delete(c.attempts, key)
	t := c.functions[r.job.Function]
	if t == nil {
		t = &Tally{Function: r.job.Function}
		c.functions[t.Function] = t
	}
	c.Jobs, t.Jobs = c.Jobs+1, t.Jobs+1
	c.Bytes, t.Bytes = c.Bytes+size, t.Bytes+size
	if r.job.Due.After(c.now) {
		c.Delayed, t.Delayed = c.Delayed+1, t.Delayed+1
	}
	if retried || r.job.Attempts > 0 {
		t.Retried++
	}
}

// hurt notes a damage that shows only in how records go together. One that
// another damage explains is not noted again.
func (c *checker) hurt(page uint64, k kind, key []byte, what string) {
	name := k.name(key)
	c.Damage = append(c.Damage, Damage{Page: page, What: fmt.Sprintf("page %d: %s: %s", page, name, what), Lost: name})
}

// finish says what is missing or left over when all was read.
func (c *checker) finish() error {
	w := c.walk
	if w.roots == [kinds]*spot{} && w.strangers > 0 || len(w.lost[kindMeta]) == 0 && !c.ours {
		return errForeign(c.Path)
	}
	if len(w.lost[kindMeta]) == 0 && (c.Format == 0 || c.Epoch == 0 && c.Jobs > 0) {
		c.Damage = append(c.Damage, Damage{What: "its format or its count of starts is missing", Lost: "the store's own numbers"})
	}
	c.strays()
	for _, t := range c.functions {
		c.Functions = append(c.Functions, *t)
	}
	slices.SortFunc(c.Functions, func(a, b Tally) int { return cmp.Compare(a.Function, b.Function) })
	c.Damage = append(c.Damage, w.damage...)
	free, err := w.freelist()
	if err != nil {
		c.Damage = append(c.Damage, Damage{Page: w.meta.freelist, What: err.Error()})
	}
	used := 2 + free + w.branches + w.leaves + w.over
	c.FreePages = c.Pages - min(used, c.Pages)
	return nil
}

// strays notes what belongs to jobs that were not met.
func (c *checker) strays() {
	for _, key := range slices.Sorted(maps.Keys(c.attempts)) {
		c.left(kindAttempts, c.attempts[key], key)
	}
	for _, key := range slices.Sorted(maps.Keys(c.parts)) {
		c.left(kindParts, c.parts[key].page, key)
	}
}

// left notes what belongs to a job that there is not.
func (c *checker) left(k kind, page uint64, key string) {
	if !c.walk.mayHave(kindJobs, []byte(key)) {
		c.Damage = append(c.Damage, Damage{Page: page, What: fmt.Sprintf("page %d: %s, which is missing", page, k.name([]byte(key)))})
	}
}

// Clean reports whether nothing is damaged.
func (r *Report) Clean() bool { return len(r.Damage) == 0 }
