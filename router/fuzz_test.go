package router

import (
	"strings"
	"testing"
	"time"

	"gearbolt/protocol"
)

// FuzzStep lets any sequence of messages, disconnects, commits and ticks come
// to a few connections. The machine does not panic, contradicts itself nowhere,
// and says nothing that is not a packet or a line.
func FuzzStep(f *testing.F) {
	for _, s := range fuzzSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 2000 {
			t.Skip("the checks after every step make long scripts slow")
		}
		p := fuzzPlayer{stage: newStage(), script: script}
		p.stage.holds = true
		p.stage.cfg.PayloadMemory, p.stage.cfg.ReplyLimit, p.stage.cfg.JobRetries = 8, 400, 3
		p.stage.machine.Configure(p.stage.clock.now(), p.stage.cfg)
		for len(p.script) > 0 {
			p.play()
			if err := p.stage.collect(); err != nil {
				t.Fatal(err)
			}
			if err := p.stage.machine.check(); err != nil {
				t.Fatal(err)
			}
		}
		if said := strings.Join(p.stage.said, "\n"); strings.Contains(said, "broken") {
			t.Fatalf("said: %s", said)
		}
	})
}

// fuzzSeeds are scripts as [fuzzPlayer] reads them. Type 0 is an admin line.
var fuzzSeeds = []string{
	"\x00\x01\x01f" + "\x01\x07\x05f\x00u\x00x" + "\x00\x09\x00" + "\x00\x0d\x0aH:1-1\x00done",             // a call
	"\x00\x01\x01f" + "\x00\x04\x00" + "\x01\x12\x05f\x00u\x00x" + "\x10" + "\x00\x1e\x00" + "\x18\x04",    // a background job, a lost worker
	"\x00\x18\x00" + "\x00\x17\x06f\x001000" + "\x00\x27\x00" + "\x01\x25\x06f\x00u\x00s\x00" + "\x20\xff", // ALL_YOURS, a timeout, a reducer
	"\x01\x24\x0ef\x00\x001709164711\x00" + "\x10" + "\x20\x10" + "\x00\x00\x06status",                     // a later job
	"\x01\x23\x0df\x00u\x00*\x00*\x00*\x00*\x00*\x00x" + "\x00\x00\x0acancel job" + "\x00\x00\x0amaxqueue f",
}

// A fuzzPlayer reads a script: a byte says what happens, and to which of four
// connections in its lowest two bits.
type fuzzPlayer struct {
	stage  *stage
	script []byte
}

func (p *fuzzPlayer) next() byte {
	if len(p.script) == 0 {
		return 0
	}
	b := p.script[0]
	p.script = p.script[1:]
	return b
}

func (p *fuzzPlayer) play() {
	s := p.stage
	op := p.next()
	name := string('a' + rune(op&3))
	c := s.conns[name]
	if c == nil || c.gone {
		c = s.machine.Connect(Peer{Addr: name, Full: name, Owner: name})
		s.conns[name] = c
	}
	switch op >> 3 {
	case 2:
		p.commit()
	case 3:
		s.machine.Disconnect(s.clock.now(), c)
	case 4:
		s.clock.pass(time.Duration(p.next()) * 10 * time.Millisecond)
		s.machine.Tick(s.clock.now())
	default:
		s.machine.Step(s.clock.now(), c, p.message())
	}
}

// commit lets the store answer, refusing now and then, and read payloads.
func (p *fuzzPlayer) commit() {
	s := p.stage
	if len(s.fetches) > 0 {
		f := s.fetches[0]
		s.fetches = s.fetches[1:]
		s.read(f)
	}
	if s.store.batch == nil {
		return
	}
	what := "nothing"
	if b := p.next(); int(b) < len(s.store.batch) {
		what = change(s.store.batch[b])
	}
	if s.refuse(what) != nil {
		_ = s.commit(nil) // there is something to commit, and it is not altered: see above
	}
}

func (p *fuzzPlayer) message() protocol.Message {
	m := protocol.Message{Magic: protocol.Req, Type: protocol.Type(p.next() % 43)}
	if m.Type == 0 {
		m.Magic = protocol.Text
	}
	n := min(int(p.next()), len(p.script))
	m.Body, p.script = p.script[:n:n], p.script[n:]
	return m
}
