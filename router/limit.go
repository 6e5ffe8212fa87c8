package router

import (
	"slices"
	"strings"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// limits are what "maxqueue" and "maxqueuebytes" have set, by function, known
// or not. A limit is in force from the command on, and stays if the store takes
// it. While commands wait for the store the last one is in force; when none
// waits any more, what the store has. A function's limits are kept as one: who
// sets one of them has all of them stored.
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
	l.Bytes = m.limits.now[l.Function].Bytes
	for p := range l.Max {
		if i := 2 + p; i < w.N {
			l.Max[p] = uint32(min(limitOf(w.Word[i]), 1<<31-1))
		} else if w.N == 3 {
			l.Max[p] = l.Max[0]
		}
	}
	m.setLimit(c, l)
}

// adminMaxqueuebytes is our own "maxqueuebytes FUNCTION [BYTES]": how many bytes
// of payloads the function's jobs may have together. No number is no limit.
func (m *Machine) adminMaxqueuebytes(c *Conn, w *protocol.Words) {
	if w.N < 2 || w.N > 3 {
		m.incomplete(c, w)
		return
	}
	l := persist.Limit{Function: string(w.Word[1])}
	l.Max = m.limits.now[l.Function].Max
	if w.N == 3 {
		l.Bytes = limitOf(w.Word[2])
	}
	m.setLimit(c, l)
}

// limitOf reads a limit; what is no number, or not above 0, is none.
func limitOf(b []byte) int64 {
	n, ok := protocol.Int(b)
	if !ok {
		return 0
	}
	return max(n, 0)
}

// setLimit brings a limit into force and has it stored. Limits may be set for
// as many functions as there may be functions.
func (m *Machine) setLimit(c *Conn, l persist.Limit) {
	if !l.IsZero() && m.limits.now[l.Function].IsZero() {
		if why := m.limitRefusal(l.Function); why != noLimit {
			m.denyLine(c, why)
			return
		}
	}
	m.limits.waiting[l.Function]++
	m.putLimit(l)
	m.store(persist.Change{Kind: persist.SetLimit, Limit: &l}, 0)
	m.answered(c, &l)
}

func (m *Machine) limitRefusal(function string) Counter {
	switch n := m.cfg.Limits.Functions; {
	case n > 0 && len(m.limits.now) >= n:
		return FunctionsOverMaxFunctions
	case m.lacks(memoryOfFunction(function)):
		return FunctionsOverQueueMemory
	}
	return noLimit
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
	stored := m.limits.stored[l.Function]
	stored.Function = l.Function
	m.putLimit(stored)
}

// putLimit brings a limit into force, for the function that there is or will
// be.
func (m *Machine) putLimit(l persist.Limit) {
	m.memory -= m.limits.memory(l.Function)
	put(m.limits.now, l)
	m.memory += m.limits.memory(l.Function)
	if fn := m.functions[l.Function]; fn != nil {
		fn.limit, fn.maxBytes = l.Max, l.Bytes
	}
}

// memory is what the limits of a function count in Machine.memory.
func (l *limits) memory(function string) int64 {
	if l.now[function].IsZero() {
		return 0
	}
	return memoryOfFunction(function)
}

func put(in map[string]persist.Limit, l persist.Limit) {
	if l.IsZero() {
		delete(in, l.Function)
	} else {
		in[l.Function] = l
	}
}

// sortedLimits returns the limits that are wanted, by function.
func (m *Machine) sortedLimits(wanted func(persist.Limit) bool) []persist.Limit {
	var all []persist.Limit
	for _, l := range m.limits.now {
		if wanted(l) {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b persist.Limit) int { return strings.Compare(a.Function, b.Function) })
	return all
}
