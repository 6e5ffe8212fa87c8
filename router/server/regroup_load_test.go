package server

import (
	"math/rand/v2"
	"testing"
	"time"
)

// An openLoad is submitters that do not wait for their answers, and a store that
// takes the same time for every commit.
type openLoad struct {
	regroup *regroup
	chance  *rand.Rand
	conns   []*conn
	pause   time.Duration // from one job to the next, on average
	now     time.Time
	next    time.Time // job
	held    time.Duration
}

func newOpenLoad(g *regroup, conns int, pause time.Duration) *openLoad {
	l := &openLoad{regroup: g, chance: rand.New(rand.NewPCG(uint64(conns), uint64(pause))), pause: pause}
	for range conns {
		l.conns = append(l.conns, new(conn))
	}
	l.now = time.Unix(0, 0)
	l.next = l.now
	return l
}

// until has time pass until the next job, which it submits, or until then, if
// that is earlier.
func (l *openLoad) until(then time.Time) {
	if l.next.After(then) {
		l.now = then
		return
	}
	l.now = l.next
	l.regroup.joins(l.conns[l.chance.IntN(len(l.conns))])
	l.next = l.next.Add(time.Duration(l.chance.ExpFloat64() * float64(l.pause)))
}

// commit has one begin as soon as it may, and end.
func (l *openLoad) commit(takes time.Duration) {
	for g := l.regroup; !g.isOver() || g.joined == 0; {
		if !g.holds {
			l.until(l.next)
			continue
		}
		since := l.now
		if l.until(g.until); g.joined > 0 {
			l.held += l.now.Sub(since)
		}
		g.expire(l.now)
	}
	l.regroup.begins(l.now)
	for answer := l.now.Add(takes); l.now.Before(answer); {
		l.until(answer)
	}
	l.regroup.answers(l.now)
}

// A load that does not depend on answers is next to never held back, be it of
// many or of few, and however often each of them says something.
func TestRegroupUnderOpenLoad(t *testing.T) {
	const takes, commits = time.Millisecond, 1000
	for _, conns := range []int{2, 5, 20, 200} {
		for _, each := range []float64{0.03, 0.1, 0.3, 1, 3} { // jobs in the time of a commit
			g := newRegroup(func() {})
			g.timer.Stop()
			l := newOpenLoad(&g, conns, time.Duration(float64(takes)/each/float64(conns)))
			for range commits {
				l.commit(takes)
				g.timer.Stop()
			}
			if part := float64(l.held) / float64(commits*takes); part > 0.1 {
				t.Errorf("%d submitters of %v jobs each per commit: commits are held back by %.0f %%", conns, each, 100*part)
			}
		}
	}
}
