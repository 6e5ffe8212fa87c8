// Package inbox gathers the Commits that a store is given and hands them, all
// that wait at once and in their order, to one goroutine.
//
// It is what makes group commit happen without a timer: while one group is
// being written, the next one gathers.
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
	filled  sync.Cond // something waits, or the inbox is closed
	empty   sync.Cond // due has become 0
	waiting []Commit
	spare   []Commit // the memory of the group before, for the next one
	due     int      // how many of those given before Close are not served yet
	late    int      // how many of waiting, at its end, were given after Close
	running bool     // run is
	closed  bool
}

// New returns an inbox that calls serve with one group after the other, never
// two at a time. serve calls each Done once, in order, and keeps no part of the
// group.
func New(serve func(group []Commit)) *Inbox {
	in := &Inbox{serve: serve}
	in.filled.L, in.empty.L = &in.mu, &in.mu
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
	if !in.running {
		in.running = true
		go in.run()
	}
	in.filled.Signal()
}

// Close waits until all that was put in before has been served. It must not be
// called by a Done, which it would wait for.
func (in *Inbox) Close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.closed = true
	in.filled.Signal()
	for in.due > 0 {
		in.empty.Wait()
	}
}

// run serves from the first Put until Close, and what comes later for as long as
// something does. It waits rather than end in between: to write a transaction
// takes a deep stack, and a new goroutine would have to grow one each time.
func (in *Inbox) run() {
	in.mu.Lock()
	defer in.mu.Unlock()
	for in.await() {
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
	in.running = false
}

// await waits for something to serve. It reports false when there is nothing,
// and the inbox is closed. in.mu is held.
func (in *Inbox) await() bool {
	for len(in.waiting) == 0 && !in.closed {
		in.filled.Wait()
	}
	return len(in.waiting) > 0
}

func (in *Inbox) answer(due, late []Commit) {
	if len(due) > 0 {
		in.serve(due)
	}
	for _, c := range late {
		c.Done(persist.ErrClosed)
	}
}
