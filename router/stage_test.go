package router

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// A stage is where a scene of a transcript is played: a machine, its store, a
// clock, and connections with names.
type stage struct {
	machine *Machine
	cfg     Config
	clock   testClock
	store   *simStore
	holds   bool // the store waits for the scene to let it answer
	fetches []Fetch
	conns   map[string]*Conn
	next    string // when the machine wanted to be woken, as last told
	said    []string
}

func newStage() *stage {
	s := &stage{
		cfg:   Config{HandlePrefix: "H", PayloadMemory: 1 << 20, Version: "2.0.0", Verbose: "ERROR", PID: 42},
		clock: testClock{ran: time.Hour, wall: time.Date(2024, 2, 28, 23, 58, 30, 0, time.UTC)},
		store: newSimStore(),
		next:  "nothing is due",
	}
	s.start()
	return s
}

func (s *stage) start() {
	s.machine = New(s.clock.now(), s.store.epoch, s.cfg)
	s.store.load(s.machine.Restore)
	s.conns, s.fetches = make(map[string]*Conn), nil
}

// event lets something happen and returns all that comes of it.
func (s *stage) event(what string) ([]string, error) {
	s.said = nil
	if err := s.do(what); err != nil {
		return nil, err
	}
	if err := s.collect(); err != nil {
		return nil, err
	}
	if next := s.wakeTime(); next != s.next {
		s.next = next
		s.said = append(s.said, next)
	}
	return s.said, s.machine.check()
}

// do understands what happens in a scene:
//
//	NAME connects [locally]       NAME leaves
//	NAME: PACKET a|b|c            NAME: "an admin line"
//	NAME: RES PACKET a|b|c        (with the magic of a response)
//	NAME cannot be read: CODE text
//	time passes: 100ms            the clock is set: -1h
//	the store holds               (until now it has answered at once)
//	the store commits             the store refuses: 1-2, 1-3 (too large)
//	the store reads: 1-2          (a payload)
//	the server: retries=1 wakeup=2 memory=0 replies=100 exceptions=true prefix=x
//	the server crashes            the server quiesces
func (s *stage) do(what string) error {
	if verb, rest, ok := s.about(what, "the store"); ok {
		return s.storeDoes(verb, rest)
	}
	if verb, rest, ok := s.about(what, "the server"); ok {
		return s.serverDoes(verb, rest)
	}
	if d, ok := strings.CutPrefix(what, "time passes: "); ok {
		return s.pass(d)
	}
	if d, ok := strings.CutPrefix(what, "the clock is set: "); ok {
		by, err := time.ParseDuration(d)
		s.clock.set(by)
		s.machine.Tick(s.clock.now())
		return err
	}
	return s.connDoes(what)
}

// about takes an event about a subject apart: its verb, and the rest behind a
// colon.
func (s *stage) about(what, subject string) (verb, rest string, ok bool) {
	if what, ok = strings.CutPrefix(what, subject); ok {
		verb, rest, _ = strings.Cut(what, ":")
	}
	return strings.TrimSpace(verb), strings.TrimSpace(rest), ok
}

func (s *stage) connDoes(what string) error {
	name, rest, _ := strings.Cut(what, " ")
	if n, ok := strings.CutSuffix(name, ":"); ok {
		return s.speak(n, rest)
	}
	c := s.conns[name]
	reason, unread := strings.CutPrefix(rest, "cannot be read: ")
	switch {
	case c == nil && (rest == "connects" || rest == "connects locally"):
		n := len(s.conns) + 1
		peer := Peer{Addr: "10.0.0." + strconv.Itoa(n), Full: "10.0.0." + strconv.Itoa(n) + ":4000", Local: rest != "connects", Owner: name}
		s.conns[name] = s.machine.Connect(peer)
	case c != nil && rest == "leaves":
		s.machine.Disconnect(s.clock.now(), c)
	case c != nil && unread:
		code, text, _ := strings.Cut(reason, " ")
		s.machine.Refuse(c, protocol.ErrorCode(code), text)
	default:
		return fmt.Errorf("this means nothing")
	}
	return nil
}

// speak has a connection say a packet or a line.
func (s *stage) speak(name, words string) error {
	c := s.conns[name]
	if c == nil {
		return fmt.Errorf("there is no %s", name)
	}
	if l, err := strconv.Unquote(words); err == nil {
		s.machine.Step(s.clock.now(), c, line(l))
		return nil
	}
	msg := protocol.Message{Magic: protocol.Req}
	if p, ok := strings.CutPrefix(words, "RES "); ok {
		msg.Magic, words = protocol.Res, p
	}
	kind, body, _ := strings.Cut(words, " ")
	for msg.Type = 1; msg.Type.String() != kind; msg.Type++ {
		if msg.Type > 100 {
			return fmt.Errorf("there is no packet %s", kind)
		}
	}
	var err error
	msg.Body, err = unescape(body)
	s.machine.Step(s.clock.now(), c, msg)
	return err
}

func (s *stage) storeDoes(verb, rest string) error {
	switch verb {
	case "holds":
		s.holds = true
		return nil
	case "commits":
		return s.commit(nil)
	case "refuses":
		return s.refuse(rest)
	case "reads":
		for i, f := range s.fetches {
			if f.Job.String() == rest {
				s.fetches = slices.Delete(s.fetches, i, i+1)
				s.read(f)
				return nil
			}
		}
	}
	return fmt.Errorf("this means nothing, or not now")
}

// refuse refuses the changes about some jobs or functions.
func (s *stage) refuse(list string) error {
	refused := make(map[int]error)
	list, tooLarge := strings.CutSuffix(list, " (too large)")
	why := map[bool]error{false: persist.ErrFull, true: persist.ErrTooLarge}[tooLarge]
	for _, what := range strings.Split(list, ", ") {
		for i, c := range s.store.batch {
			if strings.HasPrefix(change(c)+" ", what+" ") {
				refused[i] = why
			}
		}
	}
	if len(refused) == 0 {
		return errors.New("there is nothing like this to refuse")
	}
	return s.commit(refused)
}

func (s *stage) commit(refused map[int]error) error {
	if s.store.batch == nil {
		return errors.New("the store has nothing to commit")
	}
	var answer *persist.RefusedError
	for _, i := range slices.Sorted(maps.Keys(refused)) {
		answer = cmp.Or(answer, new(persist.RefusedError))
		answer.Refused = append(answer.Refused, persist.Refusal{Index: i, Err: refused[i]})
	}
	err := s.store.finish(refused)
	s.machine.Committed(s.clock.now(), answer)
	return err
}

func (s *stage) read(f Fetch) {
	j, found := s.store.jobs[f.Job]
	s.machine.Fetched(s.clock.now(), f, j.Payload, found)
}
