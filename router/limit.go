package router

import (
	"gearbolt/persist"
	"gearbolt/protocol"
)

// limits are what "maxqueue" has set, by function, known or not. A limit is in
// force from the command on, and stays if the store takes it. While commands
// wait for the store the last one is in force; when none waits any more, what
// the store has.
type limits struct {
	now     map[string]persist.Limit
	stored  map[string]persist.Limit
	waiting map[string]int // commands that wait for the store
}

func newLimits() limits {
	return limits{make(map[string]persist.Limit), make(map[string]persist.Limit), make(map[string]int)}
}

// adminMaxqueue is "maxqueue FUNCTION [N | HIGH NORMAL [LOW]]". No number is no
// limit, one is for all priorities. The limit is stored and survives a restart,
// also of a function that is not known yet.
func (m *Machine) adminMaxqueue(c *Conn, w *protocol.Words) {
	if w.N < 2 {
		m.incomplete(c, w)
		return
	}
	l := persist.Limit{Function: string(w.Word[1])}
	for p := range l.Max {
		if i := 2 + p; i < w.N {
			l.Max[p] = limitOf(w.Word[i])
		} else if w.N == 3 {
			l.Max[p] = l.Max[0]
		}
	}
	m.setLimit(c, l)
}

// limitOf reads a limit; what is no number, or not above 0, is none.
func limitOf(b []byte) uint32 {
	n, ok := protocol.Int(b)
	if !ok || n <= 0 {
		return 0
	}
	return uint32(min(n, 1<<31-1))
}

func (m *Machine) setLimit(c *Conn, l persist.Limit) {
	m.limits.waiting[l.Function]++
	m.putLimit(l)
	m.store(persist.Change{Kind: persist.SetLimit, Limit: &l}, nil)
	m.answered(c, &l)
}

// settleLimit is the store's answer about a limit.
func (m *Machine) settleLimit(l persist.Limit, err error) {
	if err == nil {
		put(m.limits.stored, l)
	}
	if m.limits.waiting[l.Function]--; m.limits.waiting[l.Function] > 0 {
		return
	}
	delete(m.limits.waiting, l.Function)
	m.putLimit(persist.Limit{Function: l.Function, Max: m.limits.stored[l.Function].Max})
}

// putLimit brings a limit into force, for the function that there is or will
// be.
func (m *Machine) putLimit(l persist.Limit) {
	put(m.limits.now, l)
	if fn := m.functions[l.Function]; fn != nil {
		fn.limit = l.Max
	}
}

func put(in map[string]persist.Limit, l persist.Limit) {
	if l.Max == ([persist.Priorities]uint32{}) {
		delete(in, l.Function)
	} else {
		in[l.Function] = l
	}
}
