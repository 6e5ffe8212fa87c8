package router

import (
	flags "flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	seeds = flags.Int("seeds", 10_000, "how many seeds TestSimulation plays")
	seed  = flags.Uint64("seed", 0, "the one seed that TestSimulation replays, telling all that happens")
)

// TestSimulation plays random clients, workers, operators, stores and clocks
// against the machine and holds it, after every event, against the model.
func TestSimulation(t *testing.T) {
	if *seed != 0 {
		if err := simulate(*seed, whole, t.Logf); err != nil {
			t.Fatal(err)
		}
		return
	}
	n := *seeds
	if testing.Short() {
		n /= 10
	}
	if seed, err := firstFailure(n, whole); err != nil {
		t.Fatalf("seed %d: %v; replay: go test ./router -run '^TestSimulation$' -v -seed %d", seed, err, seed)
	}
}

// firstFailure plays seeds 1 to n and returns one that fails, the lowest of
// those that were found, with its error.
func firstFailure(n int, make func(*Machine) subject) (failed uint64, err error) {
	var next atomic.Uint64
	var mu sync.Mutex
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for seed := next.Add(1); seed <= uint64(n); seed = next.Add(1) {
				if e := simulate(seed, make, nil); e != nil {
					mu.Lock()
					defer mu.Unlock()
					if failed == 0 || seed < failed {
						failed, err = seed, e
					}
					next.Store(uint64(n))
					return
				}
			}
		})
	}
	all.Wait()
	return failed, err
}

// simulate plays one seed. tell, which may be nil, is told all that happens.
func simulate(seed uint64, make func(*Machine) subject, tell func(string, ...any)) (err error) {
	s := newSimulation(seed, make, tell)
	defer func() {
		switch p := recover().(type) {
		case nil:
		case modelError:
			err = p.error
		default:
			err = fmt.Errorf("panic: %v at %s", p, strings.ReplaceAll(string(debug.Stack()), "\n", " "))
		}
		if err != nil {
			err = fmt.Errorf("event %d (%s): %w", s.events, s.last, err)
		}
	}()
	s.start()
	for range 80 + s.rng.IntN(160) {
		s.random()
	}
	s.drain()
	return nil
}

// A simulation is one run: the machine, the model beside it, and the world
// around the two.
type simulation struct {
	rng   *rand.Rand
	make  func(*Machine) subject
	tell  func(string, ...any)
	clock testClock
	store *simStore
	cfg   Config

	machine *Machine
	subject subject // the machine, perhaps a broken one
	model   *model

	// How this seed's world is.
	slow    int // how often the store takes its time, in percent
	refuses int // how often it refuses a change, in percent
	crashes int // how often the process dies, in 200 rare events
	backlog int // how many jobs are in the queues at most, about

	events int
	last   string // what the last event was
	buffer []byte // the bytes of the message in the machine
}

func newSimulation(seed uint64, make func(*Machine) subject, tell func(string, ...any)) *simulation {
	s := &simulation{
		rng: rand.New(rand.NewPCG(seed, 0)), make: make, tell: tell, store: newSimStore(),
		clock: testClock{ran: time.Hour, wall: time.Date(2024, 2, 28, 23, 58, 30, 0, time.UTC)},
	}
	s.cfg = Config{
		HandlePrefix: "H:sim",
		Linger:       pick(s, 0, 0, 5*time.Millisecond),
		JobRetries:   pick(s, 0, 0, 1, 2, 3), WorkerWakeup: pick(s, 0, 0, 1, 2),
		Exceptions: s.chance(20), PayloadMemory: pick(s, int64(0), 12, 1<<20), ReplyLimit: pick(s, 0, 0, 0, 120),
	}
	s.cfg.Limits = s.limits()
	s.slow, s.refuses, s.crashes = pick(s, 0, 50, 90), pick(s, 0, 0, 10, 40), pick(s, 0, 5, 30)
	s.backlog = pick(s, 0, 0, 1, 4, 1000)
	return s
}

func pick[T any](s *simulation, from ...T) T { return from[s.rng.IntN(len(from))] }

func (s *simulation) chance(percent int) bool { return s.rng.IntN(100) < percent }

// start builds machine and model of what the store has.
func (s *simulation) start() {
	s.machine = New(s.clock.now(), s.store.epoch, s.cfg)
	s.subject = s.make(s.machine)
	s.store.load(s.machine.Restore)
	if s.model == nil {
		s.model = newModel(&s.clock, s.cfg, s.store.epoch, make(map[string]bool))
	} else {
		s.model = s.model.restart(s.store, s.cfg)
	}
	s.model.machine = s.machine
	s.verify(0, nil)
}

// event lets something happen to the machine, and the same to the model, and
// compares.
func (s *simulation) event(what string, machine func(now time.Time), model func()) {
	s.events++
	s.last = what
	if s.tell != nil {
		s.tell("%d: %s", s.events, what)
	}
	queued := len(s.model.queue)
	for _, c := range s.model.conns {
		c.held = c.blocked()
	}
	machine(s.clock.now())
	said := s.collect()
	s.model.newFetches = s.subject.Fetches()
	model()
	s.verify(queued, said)
	if !s.chance(s.slow / 2) {
		s.take()
	}
}

// collect takes what the machine says, by connection.
func (s *simulation) collect() map[*Conn][]string {
	bytes := make(map[*Conn][]byte)
	ends := make(map[*Conn]bool)
	for _, send := range s.subject.Sends() {
		if send.Conn.gone || ends[send.Conn] {
			s.model.failf("connection %d is told %q after its end", send.Conn.number, send.Head)
		}
		bytes[send.Conn] = append(append(bytes[send.Conn], send.Head...), send.Body...)
		ends[send.Conn] = send.Close
	}
	for i := range s.buffer {
		s.buffer[i] = 0xff // the machine was lent these bytes, and no longer
	}
	said := make(map[*Conn][]string)
	for c, b := range bytes {
		if said[c] = spell(b); ends[c] {
			said[c] = append(said[c], closed)
			c.peer.Owner = closed
		} else if c.peer.Owner == closed {
			s.model.failf("connection %d is told %q after its end", c.number, b)
		}
	}
	return said
}

// checkEvery is at how many events the machine is looked at from inside, unless
// the run is told: that takes as long as all the rest, and what is wrong
// inside mostly stays so.
const checkEvery = 4

// verify holds the machine against the model, and against itself.
func (s *simulation) verify(queued int, said map[*Conn][]string) {
	noops := 0
	for _, c := range s.model.conns {
		words := said[c.conn]
		if s.tell != nil && len(words) > 0 {
			s.tell("        connection %d < %s", c.conn.number, strings.Join(words, ", "))
		}
		if !c.held && c != s.model.mustWake {
			noops += strings.Count(strings.Join(words, "\n")+"\n", "NOOP\n")
		}
		s.model.hear(c, words)
	}
	s.model.stampede(noops, queued)
	s.model.settleEvent(s.subject.Next())
	if s.tell == nil && s.events%checkEvery != 0 {
		return
	}
	if err := s.machine.check(); err != nil {
		s.model.failf("inside: %w", err)
	}
}

// take hands a batch to the store.
func (s *simulation) take() {
	if batch := s.subject.Changes(); batch != nil {
		if s.store.batch != nil {
			s.model.failf("a batch comes while the store has one")
		}
		s.store.begin(batch)
		s.model.taken(s.store.asWas)
	}
}
