package linear

import "github.com/anishathalye/porcupine"

// A phase is where a job is in its life.
type phase uint8

const (
	absent phase = iota
	queued
	assigned
	ended // in memory: a crash may undo it
	gone  // on stable storage, too
)

// A state is a job at a moment.
type state struct {
	phase phase
	conn  int // assigned: who has it; ended: who has ended it
	turn  int // assigned: which assignment it is
}

// A verb is what is asked of a job, or done to it.
type verb uint8

const (
	submit     verb = iota
	grab            // conn is given the job
	end             // conn says that it is done
	confirm         // what conn has ended is on stable storage
	disconnect      // conn is lost
	expire          // the lease of an assignment is over
	look            // GET_STATUS
	cancel
	crash
)

// A call is an operation.
type call struct {
	verb       verb
	conn, turn int
	unknown    bool // it has no answer, and has happened or not
	known      bool // look, cancel: the answer
	busy       bool // look: the answer
	mayRun     bool // look: it may be with a worker who was lost before it heard of it
	inPeace    bool // crash: the server has stored everything
}

// life is the model: the states that a job may be in after a call.
var life = porcupine.NondeterministicModel{
	Init: func() []any { return []any{state{}} },
	Step: func(s, in, _ any) []any {
		before, c := s.(state), in.(call)
		after := before.step(c)
		if c.unknown {
			after = append(after, before)
		}
		return after
	},
}

// step returns the states after a call, none if it cannot have been answered
// so.
func (s state) step(c call) []any {
	switch c.verb {
	case submit:
		return s.submit(c)
	case grab:
		if s.phase == queued {
			return is(state{assigned, c.conn, c.turn})
		}
		return nil
	case end:
		if s.phase == assigned && s.conn == c.conn {
			return is(state{phase: ended, conn: c.conn})
		}
	case confirm:
		return s.confirm(c)
	case disconnect:
		if s.phase == assigned && s.conn == c.conn {
			return is(state{phase: queued})
		}
	case expire:
		if s.phase == assigned && s.turn == c.turn {
			return is(state{phase: queued})
		}
	case look:
		return s.look(c)
	case cancel:
		return s.cancel(c)
	case crash:
		return s.crash(c.inPeace)
	}
	return is(s) // a late word changes nothing
}

func is(s ...state) (all []any) {
	for _, x := range s {
		all = append(all, x)
	}
	return all
}

// submit makes the job, or joins it while it lives.
func (s state) submit(c call) []any {
	switch s.phase {
	case absent:
		return is(state{phase: queued})
	case queued, assigned:
		return is(s)
	}
	return nil
}

// confirm comes behind the end, which was said on the same connection.
func (s state) confirm(c call) []any {
	switch {
	case s.phase == assigned && s.conn == c.conn:
		return nil
	case s.phase == ended && s.conn == c.conn:
		return is(state{phase: gone})
	}
	return is(s)
}

func (s state) look(c call) []any {
	alive := s.phase == queued || s.phase == assigned
	busy := s.phase == assigned || s.phase == queued && c.busy && c.mayRun
	if c.known == alive && c.busy == busy {
		return is(s)
	}
	return nil
}

func (s state) cancel(c call) []any {
	switch alive := s.phase == queued || s.phase == assigned; {
	case !c.known && !c.unknown && !alive:
		return is(s)
	case c.known && alive:
		return is(state{phase: gone})
	case c.unknown && alive:
		return is(state{phase: ended})
	}
	return nil
}

// crash is the server's death and its next start: who had the job has it no
// more, and what was not on stable storage may not have happened.
func (s state) crash(inPeace bool) []any {
	switch {
	case s.phase == assigned:
		return is(state{phase: queued})
	case s.phase == ended && inPeace:
		return is(state{phase: gone})
	case s.phase == ended:
		return is(state{phase: queued}, state{phase: gone})
	}
	return is(s)
}
