package router

import (
	"errors"
	"strings"
	"testing"
	"time"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// TestBrokenMachinesAreCaught is the negative control of the simulation: each
// of these machines breaks one law, now and then or always, and must not get
// away with it.
func TestBrokenMachinesAreCaught(t *testing.T) {
	for _, c := range []struct {
		name   string
		breaks func(*Machine) subject
		wants  string // in what the simulation says about it
	}{
		{"says JOB_CREATED before the commit", func(m *Machine) subject { return &hasty{Machine: m} }, "was to be told nothing before the store answers"},
		{"forgets deletes that are refused", func(m *Machine) subject { return forgetful{m} }, "still in the store"},
		{"loses every third NOOP", func(m *Machine) subject { return &silent{Machine: m} }, "sleep"},
		{"wakes everybody", func(m *Machine) subject { return stampede{m} }, "woken for"},
		{"tells a result twice", func(m *Machine) subject { return stutterer{m} }, "was told WORK_COMPLETE"},
		{"loses the jobs of a lost worker", func(m *Machine) subject { return careless{m} }, "is deleted from the store, and is not finished there"},
		{"swaps two replies", func(m *Machine) subject { return swapper{m} }, "was to be told"},
		{"never wants to be woken", func(m *Machine) subject { return timeless{m} }, "is due in"},
		{"stores a job that was refused", func(m *Machine) subject { return &stubborn{Machine: m} }, "was not to be"},
		{"leaves things in its books", func(m *Machine) subject { return sloppy{m} }, "inside"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(500) {
				if err := simulate(seed, c.breaks, nil); err != nil && strings.Contains(err.Error(), c.wants) {
					t.Logf("caught by seed %d: %.200v", seed, err)
					return
				}
			}
			t.Errorf("500 seeds do not say %q of it", c.wants)
		})
	}
}

// hasty says that it is stored when the store has only begun.
type hasty struct {
	*Machine
	now time.Time
}

func (h *hasty) Step(now time.Time, c *Conn, msg protocol.Message) {
	h.now = now
	h.Machine.Step(now, c, msg)
	if h.Machine.committing == nil && len(h.Machine.gathering.replies) > 0 {
		h.Machine.Changes()
		h.Machine.Committed(now, nil)
	}
}

// forgetful takes no refusal of a delete.
type forgetful struct{ *Machine }

func (f forgetful) Committed(now time.Time, refused *persist.RefusedError) {
	if refused != nil {
		kept := new(persist.RefusedError)
		for _, r := range refused.Refused {
			if f.committing.changes[r.Index].Kind != persist.DeleteJob {
				kept.Refused = append(kept.Refused, r)
			}
		}
		refused = kept
	}
	f.Machine.Committed(now, refused)
}

// silent loses some of its NOOPs.
type silent struct {
	*Machine
	noops int
}

func (s *silent) Sends() []Send {
	var kept []Send
	for _, send := range s.Machine.Sends() {
		if isPacket(send, protocol.Noop) {
			if s.noops++; s.noops%3 == 0 {
				continue
			}
		}
		kept = append(kept, send)
	}
	return kept
}

func isPacket(s Send, t protocol.Type) bool {
	m, _, err := protocol.Limits{Packet: 1 << 30}.Next(append(append([]byte(nil), s.Head...), s.Body...))
	return err == nil && m.Magic == protocol.Res && m.Type == t
}

// stampede wakes everybody who sleeps when a job is submitted.
type stampede struct{ *Machine }

func (s stampede) Step(now time.Time, c *Conn, msg protocol.Message) {
	s.Machine.Step(now, c, msg)
	if msg.Type != protocol.SubmitJob {
		return
	}
	for x := range s.conns.all {
		if x.sleep == asleep && len(x.parked) == 0 && x.turns.n > 0 {
			s.noop(x, s.functionAt.at[s.abilities.at(x.turns.first).fn])
		}
	}
}

// stutterer sends each result twice.
type stutterer struct{ *Machine }

func (s stutterer) Sends() []Send {
	var twice []Send
	for _, send := range s.Machine.Sends() {
		if twice = append(twice, send); isPacket(send, protocol.WorkComplete) {
			twice = append(twice, send)
		}
	}
	return twice
}

// careless takes the jobs of a lost worker for done.
type careless struct{ *Machine }

func (b careless) Disconnect(now time.Time, c *Conn) {
	for j := range b.jobs.all(&c.holding) {
		b.finish(j)
	}
	b.Machine.Disconnect(now, c)
}

// swapper lets what comes later overtake.
type swapper struct{ *Machine }

func (b swapper) Sends() []Send {
	sends := b.Machine.Sends()
	for i := 1; i < len(sends); i++ {
		if sends[i-1].Conn == sends[i].Conn && !sends[i].Close {
			sends[i-1], sends[i] = sends[i], sends[i-1]
		}
	}
	return sends
}

// timeless has nothing to do by itself.
type timeless struct{ *Machine }

func (timeless) Next() time.Time { return time.Time{} }

// stubborn offers the store again what it has refused to take.
type stubborn struct {
	*Machine
	again []persist.Change
}

func (b *stubborn) Committed(now time.Time, refused *persist.RefusedError) {
	if refused != nil {
		for _, r := range refused.Refused {
			if c := b.committing.changes[r.Index]; c.Kind == persist.PutJob && !errors.Is(r.Err, persist.ErrTooLarge) {
				b.again = append(b.again, clone(c))
			}
		}
	}
	b.Machine.Committed(now, refused)
}

func (b *stubborn) Changes() []persist.Change {
	if b.committing == nil {
		for _, c := range b.again {
			b.store(persist.Change{Kind: persist.SetLimit, Limit: &persist.Limit{Function: c.Job.Function}}, 0)
			b.gathering.changes[len(b.gathering.changes)-1] = c
		}
		b.again = nil
	}
	return b.Machine.Changes()
}

// sloppy miscounts.
type sloppy struct{ *Machine }

func (b sloppy) Disconnect(now time.Time, c *Conn) {
	held := c.heldBytes > 0 || c.holding.n > 0
	b.Machine.Disconnect(now, c)
	if held {
		b.uncommitted++
	}
}
