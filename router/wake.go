package router

import (
	"math"
	"time"

	"gearbolt/protocol"
)

// House law 5: if a job is queued and a capable worker sleeps, a NOOP is
// outstanding or sent; and as many workers are woken as there is work, not all.
//
// A function knows the workers that it may wake (sleepers) and those that it
// has woken and that have not come yet (woken). A connection with thousands of
// functions must not touch them all whenever it goes to sleep and wakes; so an
// ability stays in sleepers while its connection is awake, and is taken out
// only when the function comes across it. Then it waits in the connection's
// awake list, and goes back when the connection next sleeps. Each step of that
// is paid for by the one before.

type sleepState uint8

const (
	up     sleepState = iota // has spoken since it slept
	asleep                   // PRE_SLEEP, and nothing to do
	woken                    // a NOOP is outstanding
)

// patience is how long a woken worker may stay silent before the next one is
// woken in its place.
const patience = int64(100 * time.Millisecond)

// preSleep is PRE_SLEEP. A worker for which a job waits is told NOOP at once;
// several libraries never send GRAB_JOB otherwise. Any other one sleeps. As in
// gearmand, a worker that goes to sleep over a running job gives up the job's
// timer.
func (m *Machine) preSleep(c *Conn) {
	was := m.rouse(c)
	m.unpark(c)
	for j := range m.jobs.all(&c.holding) {
		if c.timers == 0 {
			break
		}
		m.cancelTimer(j)
	}
	if a, _ := m.choose(c); a != nil {
		m.noop(c, m.functionAt.at[a.fn])
	} else {
		m.fallAsleep(c)
	}
	if was != nil {
		m.wake(was)
	}
}

func (m *Machine) fallAsleep(c *Conn) {
	c.sleep = asleep
	for a := range m.abilities.all(&c.awake, bySleep) {
		m.abilities.remove(&c.awake, bySleep, a)
		m.canWake(m.functionAt.at[a.fn], a)
	}
}

// canWake lets fn wake a's worker.
func (m *Machine) canWake(fn *function, a *ability) {
	a.awake = false
	m.abilities.pushBack(&fn.sleepers, bySleep, a)
}

// rouse notes that c is up. It returns the function that c was woken for.
func (m *Machine) rouse(c *Conn) *function {
	was := c.wokenFor
	c.sleep, c.wokenFor = up, nil
	c.woken.remove()
	return was
}

// wake wakes workers until as many come for fn as it has jobs.
func (m *Machine) wake(fn *function) {
	for fn.woken.n < m.wanted(fn) {
		c := m.nextSleeper(fn)
		if c == nil {
			return
		}
		m.rally(c, fn)
	}
}

// wanted is how many workers are to be on their way to fn's jobs.
func (m *Machine) wanted(fn *function) int {
	if m.closing {
		return 0
	}
	if m.cfg.WorkerWakeup > 0 {
		return min(fn.waiting(), m.cfg.WorkerWakeup)
	}
	return fn.waiting()
}

// rally gets a sleeping worker to fn's jobs: it is handed one if it has asked
// before, and else woken to ask.
func (m *Machine) rally(c *Conn, fn *function) {
	if len(c.parked) == 0 {
		m.noop(c, fn)
		return
	}
	m.serveParked(c)
}

// nextSleeper takes the first worker that sleeps out of fn.sleepers.
func (m *Machine) nextSleeper(fn *function) *Conn {
	for a := range m.abilities.all(&fn.sleepers, bySleep) {
		c := m.connAt.at[a.conn]
		m.abilities.remove(&fn.sleepers, bySleep, a)
		a.awake = true
		m.abilities.pushBack(&c.awake, bySleep, a)
		if c.sleep == asleep {
			return c
		}
	}
	return nil
}

// noop wakes c for fn.
func (m *Machine) noop(c *Conn, fn *function) {
	c.sleep, c.wokenFor, c.wokenAt = woken, fn, m.clock.now
	fn.woken.pushBack(&c.woken)
	if fn.watch.index == 0 {
		m.deadlines.set(&fn.watch, m.clock.now+patience)
	}
	m.sayPacket(c, protocol.Noop)
}

// watchWoken counts no more on workers that were woken for fn long ago and
// stay silent, and wakes others in their place.
func (m *Machine) watchWoken(fn *function) {
	for c := range fn.woken.all {
		if at := c.wokenAt + patience; at > m.clock.now {
			m.deadlines.set(&fn.watch, at)
			break
		}
		c.woken.remove()
		c.wokenFor = nil
	}
	m.wake(fn)
}

// canDo is CAN_DO and CAN_DO_TIMEOUT. Like gearmand, a name that is registered
// twice counts twice, and the newest registration has the first turn. Nothing
// is ever answered to CAN_DO, and a worker that was registered for a part of
// its functions only would wait for jobs that never come; so a limit ends its
// connection, which every library notices, with an ERROR that says why.
func (m *Machine) canDo(c *Conn, timeout int64) {
	fn := m.functions[string(m.args.Arg[0])]
	if why := m.abilityRefusal(c, fn, len(m.args.Arg[0])); why != noLimit {
		m.Count(why, 1)
		m.Refuse(c, protocol.QueueError, refusalTexts[why])
		return
	}
	if fn == nil {
		fn = m.function(m.args.Arg[0])
	}
	a := m.ability(c, fn)
	if a == nil {
		a = m.newAbility(c, fn)
	} else {
		m.abilities.remove(&c.turns, byTurn, a)
	}
	a.times++
	c.registrations++
	a.timeout = timeout
	fn.workers++
	c.registered++
	a.since, a.turn = c.registered, -c.registered
	m.abilities.pushFront(&c.turns, byTurn, a)
	for c.sleep == asleep && fn.waiting() > 0 && !m.closing {
		m.rally(c, fn)
	}
}

// ability is c's registration for fn, or nil.
func (m *Machine) ability(c *Conn, fn *function) *ability {
	ref := c.abilities[fn.seat]
	if ref == 0 {
		return nil
	}
	return m.abilities.at(ref)
}

// newAbility has no turn yet.
func (m *Machine) newAbility(c *Conn, fn *function) *ability {
	if c.abilities == nil {
		c.abilities = make(map[seat]abilityRef)
	}
	a := m.abilities.add()
	a.conn, a.fn = c.seat, fn.seat
	c.abilities[fn.seat] = a.ref
	m.register(abilityMemory)
	m.canWake(fn, a)
	return a
}

// canDoTimeout is CAN_DO_TIMEOUT. The number is milliseconds; 0, less and
// garbage mean none, and less than a second is a second, as in gearmand, which
// also closes the connection for a number that is none at all.
func (m *Machine) canDoTimeout(c *Conn) {
	ms, ok := protocol.Int(m.args.Arg[1])
	if !ok || len(m.args.Arg[1]) > maxDigits {
		m.close(c)
		return
	}
	if ms <= 0 {
		m.canDo(c, 0)
		return
	}
	ms = min(max(ms, 1000), math.MaxInt64/int64(time.Millisecond)/2)
	m.canDo(c, ms*int64(time.Millisecond))
}

// maxDigits is the longest number in CAN_DO_TIMEOUT.
const maxDigits = 20

// cantDo is CANT_DO. A job of the function that runs on the connection stays
// there (gearmand takes it away, and python-gearman says CANT_DO from inside
// jobs).
func (m *Machine) cantDo(c *Conn) {
	fn := m.functions[string(m.args.Arg[0])]
	if fn == nil {
		return
	}
	a := m.ability(c, fn)
	if a == nil {
		return
	}
	m.dropAbility(c, a)
	m.unwake(c, fn)
}

// resetAbilities is RESET_ABILITIES.
func (m *Machine) resetAbilities(c *Conn) {
	for a := range m.abilities.all(&c.turns, byTurn) {
		m.dropAbility(c, a)
	}
	if c.wokenFor != nil {
		m.unwake(c, c.wokenFor)
	}
}

func (m *Machine) dropAbility(c *Conn, a *ability) {
	fn, list := m.functionAt.at[a.fn], &c.awake
	if !a.awake {
		list = &fn.sleepers
	}
	m.abilities.remove(&c.turns, byTurn, a)
	m.abilities.remove(list, bySleep, a)
	fn.workers -= a.times
	c.registrations -= a.times
	m.register(-abilityMemory)
	delete(c.abilities, a.fn)
	m.abilities.drop(a.ref)
}

// unwake counts no more on c to come for fn.
func (m *Machine) unwake(c *Conn, fn *function) {
	if c.wokenFor == fn {
		c.wokenFor = nil
		c.woken.remove()
		m.wake(fn)
	}
}
