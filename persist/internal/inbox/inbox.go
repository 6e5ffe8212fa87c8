// Package inbox gathers the Commits that a store is given and hands them, all
// that wait at once and in their order, to one goroutine.
//
// It is what makes group commit happen without a timer: while one group is
// being written, the next one gathers. The goroutine exists only while there
// is something to do, so an idle store owns none.
package inbox

import (
	"sync"

	"gearbolt/persist"
)

// A Commit is one call of [persist.Store.Commit].
type Commit struct {
	Changes []persist.Change
	Done    func(error)
}

// An Inbox is the waiting room before a store.
type Inbox struct {
	serve func([]Commit)

	mu      sync.Mutex
	empty   sync.Cond // due has become 0
	waiting []Commit
	spare   []Commit // the memory of the group before, for the next one
	due     int      // how many of those given before Close are not served yet
	late    int      // how many of waiting, at its end, were given after Close
	busy    bool     // run is running
	closed  bool
}

// New returns an inbox that calls serve with one group after the other, never
// two at a time. serve calls each Done once, in order, and keeps no part of the
// group.
func New(serve func(group []Commit)) *Inbox {
	in := &Inbox{serve: serve}
	in.empty.L = &in.mu
	return in
}

// Put adds a Commit and returns at once. After Close its done is told
// [persist.ErrClosed], still in order and still not by the caller's goroutine.
func (in *Inbox) Put(changes []persist.Change, done func(error)) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.waiting = append(in.waiting, Commit{changes, done})
	if in.closed {
		in.late++
	} else {
		in.due++
	}
	if !in.busy {
		in.busy = true
		go in.run()
	}
}

// Close waits until all that was put in before has been served. It must not be
// called by a Done, which it would wait for.
func (in *Inbox) Close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.closed = true
	for in.due > 0 {
		in.empty.Wait()
	}
}

func (in *Inbox) run() {
	in.mu.Lock()
	defer in.mu.Unlock()
	for len(in.waiting) > 0 {
		group, n := in.waiting, len(in.waiting)-in.late
		in.waiting, in.spare, in.late = in.spare[:0], nil, 0
		in.mu.Unlock()
		in.answer(group[:n], group[n:])
		clear(group)
		in.mu.Lock()
		in.spare = group
		if in.due -= n; in.due == 0 {
			in.empty.Broadcast()
		}
	}
	in.busy = false
}

func (in *Inbox) answer(due, late []Commit) {
	if len(due) > 0 {
		in.serve(due)
	}
	for _, c := range late {
		c.Done(persist.ErrClosed)
	}
}
