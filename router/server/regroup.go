package server

import (
	"time"

	"gearbolt/persist"
	"gearbolt/router"
)

// Submitters whose jobs were stored together are answered together, and come
// back with their next jobs together, a moment later. If the next commit began
// at once, with the few jobs that have gathered meanwhile, it would go on like
// that for ever: one commit takes 15 jobs, the next one 1, the next one 15, and
// nearly everybody waits for two. A regroup holds the next commit back until
// about as much waits for the store as before the answers. That saves what a
// commit costs however little it stores, so it is tried for no longer than that:
// than the shortest of the latest commits took.
//
// A submitter who is alone is never held up, since what it brings is as much as
// waited before. Where the others have not come back in time, as under a load
// that does not depend on answers, the next commits are not held back; each time
// that happens again they are about twice as many.
type regroup struct {
	began  time.Time // when the store was given the batch that it has
	holds  bool      // the next batch is held back
	enough int64     // until so many bytes wait for the store
	until  time.Time // or until then
	timer  *time.Timer

	shortest time.Duration // of the latest commits, at most maxRegroup
	before   time.Duration // of as many as can be latest, before them
	commits  int           // that shortest is of

	rest   int // how many of the next commits are not held back
	inVain int // how many were not, when the others last did not come
}

const (
	minRegroup = 100 * time.Microsecond // a commit that takes less is not worth waiting for
	maxRegroup = 5 * time.Millisecond   // who comes back is here by then, however slow the disk is
	maxRest    = 63                     // commits
	latest     = 500                    // commits
	stragglers = 8                      // as a divisor: that part need not be back
)

func newRegroup(expire func()) regroup {
	return regroup{timer: time.AfterFunc(time.Hour, expire), shortest: maxRegroup, before: maxRegroup}
}

// answered follows the store's answer; waited is how many bytes had waited for
// the store until then.
func (g *regroup) answered(now time.Time, waited int64) {
	patience := g.patience(now.Sub(g.began))
	switch {
	case g.rest > 0:
		g.rest--
	case patience >= minRegroup && waited > 0:
		g.holds, g.enough, g.until = true, waited-waited/stragglers, now.Add(patience)
		g.timer.Reset(patience)
	}
}

// patience is how long the next commit may be held back after one that took so
// long.
func (g *regroup) patience(took time.Duration) time.Duration {
	g.shortest = min(g.shortest, took)
	p := min(g.shortest, g.before)
	if g.commits++; g.commits == latest {
		g.before, g.shortest, g.commits = g.shortest, maxRegroup, 0
	}
	return p
}

// isOver reports whether the next batch, for which so many bytes wait, may go
// to the store.
func (g *regroup) isOver(waiting int64) bool {
	if g.holds && waiting >= g.enough {
		g.holds, g.inVain = false, 0
		g.timer.Stop()
	}
	return !g.holds
}

// expire ends a regroup whose time is up. If somebody has waited for the others
// until now, that was in vain.
func (g *regroup) expire(now time.Time, waiting int64) {
	if !g.holds || now.Before(g.until) { // it is over, and perhaps the next one has begun
		return
	}
	g.holds = false
	if waiting > 0 {
		g.inVain = min(2*g.inVain+1, maxRest)
		g.rest = g.inVain
	}
}

// dueCommit takes what is to be stored now, or nil. s.mu is held.
func (s *Server) dueCommit() []persist.Change {
	if !s.regroup.isOver(s.machine.Uncommitted()) {
		return nil
	}
	changes := s.machine.Changes()
	if changes != nil {
		s.regroup.began = time.Now()
	}
	return changes
}

// endRegroup is the regroup's timer.
func (s *Server) endRegroup() {
	s.visit(func(m *router.Machine, now time.Time) { s.regroup.expire(now, m.Uncommitted()) })
}
