package router

import (
	"fmt"
	"time"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// random lets any one thing happen.
func (s *simulation) random() {
	switch n := s.rng.IntN(100); {
	case len(s.model.conns) == 0, n < 4 && len(s.model.conns) < 9:
		s.connect()
	case n < 5:
		s.disconnect(pick(s, s.model.conns...))
	case n < 20:
		s.pass(pick(s, time.Millisecond, 30*time.Millisecond, 120*time.Millisecond, 1100*time.Millisecond))
	case n < 45:
		s.storeMoves()
	case n < 47:
		s.rare()
	default:
		c := pick(s, s.model.conns...)
		s.say(c, s.message(c))
	}
}

// rare is what happens once in a while.
func (s *simulation) rare() {
	switch {
	case s.rng.IntN(200) < s.crashes:
		s.crash()
	case s.chance(20):
		s.pass(pick(s, time.Minute, time.Hour))
	case s.chance(30):
		s.setClock(pick(s, -time.Hour, -2*time.Second, time.Second, time.Hour))
	case s.chance(15):
		s.event("quiesce", func(time.Time) { s.subject.Quiesce() }, func() { s.model.closing = true })
	default:
		s.configure()
	}
}

// configure sets what may change while the machine runs.
func (s *simulation) configure() {
	s.cfg.WorkerWakeup = pick(s, 0, 1, 2)
	s.cfg.JobRetries, s.cfg.Exceptions = pick(s, 0, 1, 2, 3), s.chance(20)
	s.cfg.HandlePrefix, s.cfg.PayloadMemory = pick(s, "H:sim", "x", "H:a-b:c"), pick(s, int64(0), 12, 1<<20)
	s.cfg.Limits = s.limits()
	s.event("configure", func(now time.Time) { s.subject.Configure(now, s.cfg) }, func() { s.model.cfg = s.cfg })
}

func (s *simulation) connect() {
	var c *Conn
	s.event("connect", func(time.Time) {
		n := s.machine.lastConn + 1
		c = s.subject.Connect(Peer{Addr: "127.0.0.1", Full: fmt.Sprintf("127.0.0.1:%d", n)})
	}, func() { s.model.connect(c) })
}

func (s *simulation) disconnect(c *modelConn) {
	s.event(fmt.Sprintf("disconnect %d", c.conn.number),
		func(now time.Time) { s.subject.Disconnect(now, c.conn) },
		func() { s.model.disconnect(c) })
	if c.conn.held != nil || len(c.conn.abilities) > 0 || c.conn.holding.n+c.conn.listening.n > 0 {
		s.model.failf("connection %d is lost and keeps something", c.conn.number)
	}
}

// say has a connection say something.
func (s *simulation) say(c *modelConn, msg protocol.Message) {
	what := fmt.Sprintf("connection %d > %s", c.conn.number, packet(msg.Type, string(msg.Body)))
	if msg.Magic == protocol.Text {
		what = fmt.Sprintf("connection %d > %q", c.conn.number, msg.Body)
	}
	s.event(what, func(now time.Time) {
		s.buffer = append(s.buffer[:0], msg.Body...)
		lent := msg
		lent.Body = s.buffer
		s.subject.Step(now, c.conn, lent)
	}, func() { s.model.step(c, msg) })
}

// pass lets time go by, with most of the ticks that the machine wants.
func (s *simulation) pass(d time.Duration) {
	for end := s.clock.ran + d; ; {
		wait := end - s.clock.ran
		next := s.subject.Next()
		if early := next.Sub(s.clock.now()); !next.IsZero() && early < wait && s.chance(90) {
			s.clock.pass(max(early, 0))
			s.tick()
			continue
		}
		s.clock.pass(wait)
		s.tick()
		return
	}
}

func (s *simulation) tick() {
	s.event(fmt.Sprintf("tick at %v", s.clock.ran),
		func(now time.Time) { s.subject.Tick(now) },
		func() { s.model.tick() })
}

func (s *simulation) setClock(d time.Duration) {
	s.clock.set(d)
	s.tick()
}

// storeMoves lets the store, or who reads payloads from it, get on.
func (s *simulation) storeMoves() {
	switch {
	case len(s.model.fetches) > 0 && s.chance(50):
		s.fetched(s.rng.IntN(len(s.model.fetches)))
	case s.store.batch != nil && !s.chance(s.slow):
		s.commit(s.refusals())
	default:
		s.take()
	}
}

// refusals are the changes that the store does not carry out.
func (s *simulation) refusals() map[int]error {
	refused := make(map[int]error)
	for i, c := range s.store.batch {
		switch {
		case !s.chance(s.refuses):
		case c.Kind == persist.PutJob && s.chance(50):
			refused[i] = persist.ErrTooLarge
		default:
			refused[i] = fmt.Errorf("write: %w", persist.ErrFull)
		}
	}
	return refused
}

func (s *simulation) commit(refused map[int]error) {
	if err := s.store.finish(refused); err != nil {
		s.model.failf("%w", err)
	}
	var answer *persist.RefusedError
	if len(refused) > 0 {
		answer = new(persist.RefusedError)
		for i := range s.model.batch {
			if err := refused[i]; err != nil {
				answer.Refused = append(answer.Refused, persist.Refusal{Index: i, Err: err})
			}
		}
	}
	s.event(fmt.Sprintf("commit, refused %v", refused),
		func(now time.Time) { s.subject.Committed(now, answer) },
		func() { s.model.committed(refused) })
}

// fetched answers a Fetch.
func (s *simulation) fetched(i int) {
	f := s.model.fetches[i]
	s.model.fetches = append(s.model.fetches[:i:i], s.model.fetches[i+1:]...)
	j, found := s.store.jobs[f.Job]
	s.event(fmt.Sprintf("fetched %v", f.Job),
		func(now time.Time) {
			s.buffer = append(s.buffer[:0], j.Payload...)
			s.subject.Fetched(now, f.Fetch, s.buffer, found)
		},
		func() { s.model.fetched(f, found) })
}

// crash ends the machine, perhaps in the middle of a commit, and starts
// another on what the store has.
func (s *simulation) crash() {
	if s.store.batch != nil && s.chance(50) {
		if err := s.store.finish(s.refusals()); err != nil {
			s.model.failf("%w", err)
		}
	}
	s.store.batch = nil
	s.store.epoch++
	s.events++
	s.last = "crash and restart"
	if s.tell != nil {
		s.tell("%d: %s", s.events, s.last)
	}
	s.clock.pass(pick(s, time.Second, time.Hour))
	s.start()
}
