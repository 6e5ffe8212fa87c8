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
// those who were just answered have come back. That saves what a commit costs
// however little it stores, so it is tried for no longer than that: than the
// shortest of the latest commits took.
//
// It goes by who comes, not by how much: only that tells those who come back
// from those who would have come anyway. So nobody is waited for
//
//   - where one submitter is alone, whatever it says;
//   - who says more before it is answered, or is gone;
//   - for a while, where most of the others have not come back in time, as under a
//     load that does not depend on answers. While that goes on happening, one
//     commit in 64 is held back; a regroup that has brought them together halves
//     how many are not.
//
// Nor is a commit held back for which submitters wait who may say no more before
// it, see Server.throttle.
type regroup struct {
	batch    int64 // the one that gathers, by number
	joined   int   // connections that have something in it
	answered int   // connections that had something in the one before, and are still there
	again    int   // that have in both

	began  time.Time // when the store was given the batch before
	holds  bool      // this one is held back
	spared int       // until all but so many of those answered are back
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
	stragglers = 8                      // as a divisor: that part of all need not be back
	hasty      = 4                      // as a divisor: that part of those answered does not wait for answers
)

func newRegroup(expire func()) regroup {
	return regroup{
		batch:    2, // not next to that of a connection that has never had anything stored
		timer:    time.AfterFunc(time.Hour, expire),
		shortest: maxRegroup,
		before:   maxRegroup,
	}
}

// joins notes that c has something in the batch that gathers.
func (g *regroup) joins(c *conn) {
	if c.batch == g.batch {
		return
	}
	g.joined++
	if c.batch == g.batch-1 {
		g.again++
	}
	c.batch = g.batch
}

// leaves notes that c is gone.
func (g *regroup) leaves(c *conn) {
	if c.batch == g.batch-1 {
		c.batch = 0
		g.answered--
	}
}

// begins follows the taking of a batch for the store.
func (g *regroup) begins(now time.Time) {
	g.end()
	g.began = now
	g.batch++
	g.answered, g.joined, g.again = g.joined, 0, 0
}

// answers follows the store's answer.
func (g *regroup) answers(now time.Time) {
	patience := g.patience(now.Sub(g.began))
	all := g.answered + g.joined - g.again
	g.spared = all / stragglers
	switch {
	case g.rest > 0:
		g.rest--
	case patience >= minRegroup && all > 1 && g.again*hasty < g.answered && !g.isBack():
		g.holds, g.until = true, now.Add(patience)
		g.timer.Reset(patience)
	}
}

// isBack reports whether as many as matter have come back.
func (g *regroup) isBack() bool { return g.answered-g.again <= g.spared }

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

// isOver reports whether the next batch may go to the store.
func (g *regroup) isOver() bool {
	if g.holds && g.isBack() {
		g.inVain /= 2
		g.end()
	}
	return !g.holds
}

func (g *regroup) end() {
	if g.holds {
		g.holds = false
		g.timer.Stop()
	}
}

// expire ends a regroup whose time is up. If somebody has waited for the others
// until now, that was in vain.
func (g *regroup) expire(now time.Time) {
	if !g.holds || now.Before(g.until) { // it is over, and perhaps the next one has begun
		return
	}
	g.holds = false
	if g.joined > 0 {
		g.inVain = min(2*g.inVain+1, maxRest)
		g.rest = g.inVain
	}
}

// dueCommit takes what is to be stored now, or nil. s.mu is held.
func (s *Server) dueCommit() []persist.Change {
	if !s.regroup.isOver() && s.machine.Uncommitted() < s.uncommittedLimit() {
		return nil
	}
	changes := s.machine.Changes()
	if changes != nil {
		s.regroup.begins(time.Now())
	}
	return changes
}

// endRegroup is the regroup's timer.
func (s *Server) endRegroup() {
	s.visit(func(_ *router.Machine, now time.Time) { s.regroup.expire(now) })
}
