package bench

import (
	"context"
	"fmt"
	"sync"
	"time"

	"gearbolt/protocol"
)

// A kind is a kind of load: it puts it on a server for one round.
type kind func(s *stand, ctx context.Context, d time.Duration) (*sample, error)

// Kinds are the names of all kinds, in the order in which they make sense.
var Kinds = []string{"sync", "background", "drain", "mixed", "idle", "functions"}

var kinds = map[string]kind{
	"sync":       (*stand).sync,
	"background": (*stand).background,
	"drain":      (*stand).drained,
	"mixed":      (*stand).mixed,
	"idle":       (*stand).idle,
	"functions":  (*stand).functions,
}

func (s *stand) sync(ctx context.Context, d time.Duration) (*sample, error) {
	if s.cfg.Library {
		return s.library(ctx, d)
	}
	return s.calls(ctx, d, []string{s.prefix}, false)
}

func (s *stand) mixed(ctx context.Context, d time.Duration) (*sample, error) {
	return s.calls(ctx, d, []string{s.prefix}, true)
}

func (s *stand) functions(ctx context.Context, d time.Duration) (*sample, error) {
	names := make([]string, s.cfg.Functions)
	for i := range names {
		names[i] = fmt.Sprintf("%s-%d", s.prefix, i)
	}
	return s.calls(ctx, d, names, false)
}

func (s *stand) newLoad(functions []string) *load {
	l := &load{places: s.cfg.Inflight, size: s.cfg.Size}
	for _, f := range functions {
		l.functions = append(l.functions, []byte(f))
	}
	return l
}

// calls makes calls, and lets workers do them, for a time.
func (s *stand) calls(ctx context.Context, d time.Duration, functions []string, queueing bool) (*sample, error) {
	t := newTeam(ctx)
	defer t.end()
	crew, err := s.hire(t, functions, nil)
	if err != nil {
		return nil, err
	}
	l := s.newLoad(functions)
	l.queueing = queueing
	callers := make([]*caller, s.cfg.Clients)
	for i := range callers {
		w, err := s.dial(t.ctx)
		if err != nil {
			return nil, err
		}
		callers[i] = newCaller(w, l)
		callers[i].names = i * len(functions) / len(callers) // not all in step
	}
	out := new(sample)
	err = s.measure(out, func() error {
		t.work(crew)
		defer l.stopAfter(d).Stop()
		for _, c := range callers {
			t.begin(&t.callers, c.run)
		}
		return t.wait()
	})
	t.end()
	out.parked = crew[0].parked
	for _, c := range callers {
		out.jobs += c.finished
		out.latency.merge(&c.latency)
	}
	return out, err
}

func (l *load) stopAfter(d time.Duration) *time.Timer {
	return time.AfterFunc(d, func() { l.stopping.Store(true) })
}

// background queues jobs for a time.
func (s *stand) background(ctx context.Context, d time.Duration) (*sample, error) {
	out := new(sample)
	if err := s.queue(ctx, out, d, -1); err != nil {
		return nil, err
	}
	return out, s.clean(ctx)
}

// queue queues jobs: so many in all, or for a time if that is negative.
func (s *stand) queue(ctx context.Context, out *sample, d time.Duration, jobs int) error {
	t := newTeam(ctx)
	defer t.end()
	l := s.newLoad([]string{s.prefix})
	queuers := make([]*queuer, s.cfg.Clients)
	for i := range queuers {
		w, err := s.dial(t.ctx)
		if err != nil {
			return err
		}
		share := -1
		if jobs >= 0 {
			share = (jobs + i) / len(queuers)
		}
		queuers[i] = newQueuer(w, l, share)
	}
	err := s.measure(out, func() error {
		if jobs < 0 {
			defer l.stopAfter(d).Stop()
		}
		for _, q := range queuers {
			t.begin(&t.callers, q.run)
		}
		return t.wait()
	})
	for _, q := range queuers {
		out.jobs += q.finished
		out.latency.merge(&q.latency)
	}
	return err
}

// drained queues a number of jobs, and then lets workers do them.
func (s *stand) drained(ctx context.Context, _ time.Duration) (*sample, error) {
	queued := new(sample)
	if err := s.queue(ctx, queued, 0, s.cfg.Jobs); err != nil {
		return nil, err
	}
	out := new(sample)
	return out, s.drain(ctx, s.prefix, queued.jobs, out)
}

// idle makes calls while connections sleep.
func (s *stand) idle(ctx context.Context, d time.Duration) (*sample, error) {
	t := newTeam(ctx)
	defer t.end()
	before := s.memory()
	if err := s.sleepers(t); err != nil {
		return nil, err
	}
	after := s.memory()
	out, err := s.calls(ctx, d, []string{s.prefix}, false)
	if out != nil && s.process != nil {
		out.perSleeper = max(after-before, 0) / int64(s.cfg.Idle)
	}
	return out, err
}

// dialers is how many connections are opened at once.
const dialers = 32

// sleepers connects workers of a function without jobs. They sleep until the
// team ends.
func (s *stand) sleepers(t *team) error {
	doors := make(chan struct{}, dialers)
	var all sync.WaitGroup
	for range s.cfg.Idle {
		doors <- struct{}{}
		t.begin(&all, func() error {
			defer func() { <-doors }()
			return s.sleeper(t.ctx)
		})
	}
	all.Wait()
	return context.Cause(t.ctx)
}

// sleeper connects one worker, and returns when the server knows that it
// sleeps.
func (s *stand) sleeper(ctx context.Context) error {
	w, err := s.dial(ctx)
	if err != nil {
		return err
	}
	w.in = make([]byte, 256)
	w.say(protocol.CanDo, []byte(s.prefix+"-idle"))
	w.say(protocol.PreSleep)
	w.say(protocol.EchoReq, hello)
	return w.serve(func(m protocol.Message) error {
		if m.Type != protocol.EchoRes {
			return unexpected(m)
		}
		return errDone
	})
}
