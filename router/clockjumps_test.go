package router

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// jumps are by how much an administrator, a time server or a battery sets the
// time of day.
var jumps = []time.Duration{time.Hour, -time.Hour, 10 * 365 * 24 * time.Hour, -10 * 365 * 24 * time.Hour, time.Second, -time.Second}

// A lease is as long as it is, however the time of day jumps meanwhile.
func TestLeasesDoNotJump(t *testing.T) {
	for _, jump := range jumps {
		s := newStage()
		s.plays(t, "alice connects", "alice: CAN_DO_TIMEOUT f|60000", "bob connects", "bob: SUBMIT_JOB_BG f||data", "alice: GRAB_JOB")
		s.plays(t, "time passes: 30s")
		s.clock.set(jump)
		s.plays(t, "time passes: 29999ms")
		if s.machine.Running() != 1 {
			t.Errorf("set by %v: the job was taken from its worker before its time", jump)
		}
		s.plays(t, "time passes: 1ms")
		if s.machine.Running() != 0 || s.machine.Jobs() != 1 {
			t.Errorf("set by %v: the job is still with its worker", jump)
		}
	}
}

// Jobs for a time of day come once, not before it and at once when it has come,
// however it has come; crashes in between change nothing.
func TestEpochJobsAcrossJumps(t *testing.T) {
	for seed := range uint64(60) {
		if err := newJumper(t, seed).run(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// A jumper is a run of TestEpochJobsAcrossJumps.
type jumper struct {
	*testing.T
	*stage
	rng  *rand.Rand
	due  map[string]int64 // by payload, in Unix seconds; those that have not come
	life int
}

func newJumper(t *testing.T, seed uint64) *jumper {
	j := &jumper{T: t, stage: newStage(), rng: rand.New(rand.NewPCG(seed, 0)), due: make(map[string]int64)}
	j.begin()
	return j
}

// begin connects a worker, in every life of the server another.
func (j *jumper) begin() {
	j.life++
	j.plays(j.T, "worker connects", "worker: CAN_DO f", "client connects")
}

func (j *jumper) run() error {
	for n := range 60 {
		switch j.rng.IntN(6) {
		case 0, 1:
			payload := fmt.Sprint("job ", n)
			j.due[payload] = j.clock.wall.Unix() + j.rng.Int64N(7200) - 10
			j.plays(j.T, fmt.Sprintf("client: SUBMIT_JOB_EPOCH f||%d|%s", j.due[payload], payload))
		case 2:
			j.clock.set(pickOne(j.rng, jumps))
		case 3:
			j.plays(j.T, "time passes: "+pickOne(j.rng, []string{"1ms", "1s", "10m", "1h"}))
		case 4:
			j.plays(j.T, "the server crashes")
			j.begin()
		}
		if err := j.take(); err != nil {
			return err
		}
	}
	for range 4 { // jumps of ten years back are made up for
		j.clock.set(10 * 365 * 24 * time.Hour)
	}
	for range jumps {
		j.plays(j.T, "time passes: 24h")
	}
	j.clock.set(100 * 365 * 24 * time.Hour)
	if err := j.take(); err != nil || len(j.due) > 0 || j.machine.Jobs() > 0 {
		return fmt.Errorf("%v; not come: %v", err, j.due)
	}
	return nil
}

func pickOne[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// take has the worker take and complete all that there is for it, which is what
// is due.
func (j *jumper) take() error {
	j.machine.Tick(j.clock.now()) // the server's timer, at the latest after wallCheck
	for {
		said, err := j.event("worker: GRAB_JOB")
		if err != nil {
			return err
		}
		words, payload := strings.Join(said, "\n"), ""
		if _, after, ok := strings.Cut(words, "JOB_ASSIGN "); ok {
			line, _, _ := strings.Cut(after, "\n")
			parts := strings.SplitN(line, "|", 3)
			payload = parts[2]
			j.plays(j.T, "worker: WORK_COMPLETE "+parts[0]+"|")
		} else {
			return j.left()
		}
		due, known := j.due[payload]
		switch now := j.clock.wall.Unix(); {
		case !known:
			return fmt.Errorf("%q came again", payload)
		case due > now:
			return fmt.Errorf("%q came %d s before its time", payload, due-now)
		}
		delete(j.due, payload)
	}
}

// left looks whether anything that is due has not come.
func (j *jumper) left() error {
	for payload, due := range j.due {
		if due <= j.clock.wall.Unix() {
			return fmt.Errorf("%q is due, and does not come", payload)
		}
	}
	return nil
}

// plays lets things happen one after the other.
func (s *stage) plays(t *testing.T, events ...string) {
	t.Helper()
	for _, e := range events {
		if _, err := s.event(e); err != nil {
			t.Fatalf("> %s: %v", e, err)
		}
	}
}
