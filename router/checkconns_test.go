package router

import (
	"fmt"
)

func (m *Machine) checkConns() error {
	for c := range m.conns.all {
		if c.gone {
			return fmt.Errorf("connection %d is gone and listed", c.number)
		}
		if len(c.held) > 0 && !c.held[0].waiting {
			return fmt.Errorf("connection %d holds back what waits for nothing", c.number)
		}
		bytes := 0
		for _, h := range c.held {
			bytes += len(h.bytes)
		}
		if bytes != c.heldBytes {
			return fmt.Errorf("connection %d holds back %d bytes, but heldBytes is %d", c.number, bytes, c.heldBytes)
		}
		for l := range c.listening.all {
			j := m.jobs.at(l.job)
			if l.conn != c || j.ties == 0 || l.ofJob.in != &m.ties.at(j.ties).listeners || m.jobs.of(m.jobs.id(j)) != j {
				return fmt.Errorf("connection %d listens to a job that does not know it", c.number)
			}
		}
	}
	return nil
}

func (m *Machine) checkWorkers() error {
	for c := range m.conns.all {
		timers := 0
		for j := range m.jobs.all(&c.holding) {
			if m.timed(j) {
				timers++
			}
		}
		if timers != c.timers {
			return fmt.Errorf("connection %d has %d timers, but timers is %d", c.number, timers, c.timers)
		}
		if err := m.checkAbilities(c); err != nil {
			return err
		}
	}
	return nil
}

func (m *Machine) checkAbilities(c *Conn) error {
	if c.turns.n != len(c.abilities) {
		return fmt.Errorf("connection %d has %d abilities and %d turns", c.number, len(c.abilities), c.turns.n)
	}
	var before *ability
	awake := 0
	for a := range m.abilities.all(&c.turns, byTurn) {
		fn := m.functionAt.at[a.fn]
		if c.abilities[a.fn] != a.ref || m.connAt.at[a.conn] != c || a.times < 1 {
			return fmt.Errorf("connection %d: ability %q is out of place", c.number, fn.name)
		}
		if before != nil && before.turn >= a.turn {
			return fmt.Errorf("connection %d: turns are out of order", c.number)
		}
		before = a
		if a.awake && c.sleep == asleep {
			return fmt.Errorf("connection %d sleeps, but %q cannot wake it", c.number, fn.name)
		}
		if a.awake {
			awake++
		}
	}
	if awake != c.awake.n {
		return fmt.Errorf("connection %d has %d abilities that are awake, and %d in their list", c.number, awake, c.awake.n)
	}
	return nil
}

// checkWoken is house law 5, seen from inside.
func (m *Machine) checkWoken() error {
	for name, fn := range m.functions {
		for c := range fn.woken.all {
			if c.wokenFor != fn || c.sleep != woken || m.ability(c, fn) == nil {
				return fmt.Errorf("function %q counts on connection %d, which was not woken for it", name, c.number)
			}
		}
		if fn.woken.n > 0 && fn.watch.index == 0 {
			return fmt.Errorf("function %q has woken %d workers and does not look after them", name, fn.woken.n)
		}
		enough := fn.waiting()
		if m.cfg.WorkerWakeup > 0 {
			enough = min(enough, m.cfg.WorkerWakeup)
		}
		if m.closing || fn.woken.n >= enough {
			continue
		}
		for a := range m.abilities.all(&fn.sleepers, bySleep) {
			if c := m.connAt.at[a.conn]; c.sleep == asleep {
				return fmt.Errorf("function %q has %d jobs, %d workers woken, and connection %d asleep", name, fn.waiting(), fn.woken.n, c.number)
			}
		}
	}
	for c := range m.conns.all {
		if (c.wokenFor == nil) != (c.woken.in == nil) || c.wokenFor != nil && c.woken.in != &c.wokenFor.woken {
			return fmt.Errorf("connection %d is not counted on where it was woken for", c.number)
		}
	}
	return nil
}

func (m *Machine) checkDeadlines() error {
	wall := 0
	for i, d := range m.deadlines.heap {
		if d.index != i+1 || i > 0 && m.deadlines.heap.Less(i, (i-1)/2) {
			return fmt.Errorf("deadline %d is out of place", i)
		}
		if d.wall != 0 {
			wall++
			if d.at != d.wall-m.clock.shift {
				return fmt.Errorf("a time of day is at %d, not %d", d.at, d.wall-m.clock.shift)
			}
		}
	}
	if wall != m.deadlines.wall {
		return fmt.Errorf("%d deadlines are times of day, but wall is %d", wall, m.deadlines.wall)
	}
	timers := 0
	for j := range m.jobs.sorted {
		if m.timed(j) {
			timers++
			if d := &m.ties.at(j.ties).timer; d.job != j.ref || m.deadlines.heap[d.index-1] != d {
				return fmt.Errorf("the timer of job %v is not its own", m.jobs.id(j))
			}
		}
	}
	for _, fn := range m.functions {
		timers += min(fn.watch.index, 1)
	}
	timers += min(m.owedTimer.index, 1) + min(m.lingerTimer.index, 1)
	if timers != len(m.deadlines.heap) {
		return fmt.Errorf("%d deadlines, of which %d belong to something", len(m.deadlines.heap), timers)
	}
	return nil
}

// checkMemory adds up what Limits.Memory goes by.
func (m *Machine) checkMemory() error {
	var n, registry int64
	for j := range m.jobs.sorted {
		if n += j.memory() + int64(m.audience(j))*listenerMemory; j.ties != 0 {
			n += tiesMemory
		}
	}
	for name := range m.functions {
		registry += memoryOfFunction(name)
	}
	for name := range m.limits.now {
		n += memoryOfFunction(name)
	}
	for c := range m.conns.all {
		registry += int64(len(c.abilities)) * abilityMemory
		registrations := 0
		for a := range m.abilities.all(&c.turns, byTurn) {
			registrations += a.times
		}
		if registrations != c.registrations {
			return fmt.Errorf("connection %d: %d registrations, but registrations is %d", c.number, registrations, c.registrations)
		}
	}
	n += registry
	if n != m.memory || registry != m.registry {
		return fmt.Errorf("%d bytes of memory, %d of them in the registry, but memory is %d and registry %d", n, registry, m.memory, m.registry)
	}
	return nil
}

// checkBytes adds up what other limits on bytes go by.
func (m *Machine) checkBytes() error {
	var payloads, queue, held int64
	for c := range m.conns.all {
		held += int64(c.heldBytes)
	}
	for j := range m.jobs.sorted {
		queue += int64(j.size)
		if j.background && j.put == 0 && !j.onlyStored {
			payloads += int64(j.size)
		}
	}
	if queue != m.queueBytes || held != m.heldBytes {
		return fmt.Errorf("%d bytes in jobs and %d in replies, but queueBytes is %d and heldBytes %d", queue, held, m.queueBytes, m.heldBytes)
	}
	if payloads != m.payloadBytes {
		return fmt.Errorf("%d bytes of payloads, but payloadBytes is %d", payloads, m.payloadBytes)
	}
	var waits int64
	replies := make(map[*Conn]int)
	for _, b := range []*batch{m.gathering, m.committing} {
		if b == nil {
			continue
		}
		for _, r := range b.replies {
			replies[r.conn] += r.bytes
			waits += int64(r.bytes)
		}
	}
	if waits != m.uncommitted {
		return fmt.Errorf("%d bytes wait for the store, but uncommitted is %d", waits, m.uncommitted)
	}
	for c := range m.conns.all {
		if replies[c] != c.uncommitted {
			return fmt.Errorf("connection %d: %d bytes wait for the store, but uncommitted is %d", c.number, replies[c], c.uncommitted)
		}
	}
	return nil
}
