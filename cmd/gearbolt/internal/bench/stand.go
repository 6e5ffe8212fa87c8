package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gearbolt/cmd/gearbolt/internal/admin"
	"gearbolt/cmd/gearbolt/internal/target"
)

// A stand is one server under test.
type stand struct {
	cfg     *Config
	set     *target.Set
	server  target.Address
	prefix  string   // of its functions: nobody else's are touched
	process *process // nil: it cannot be looked at
}

func newStand(cfg *Config, set *target.Set, server target.Address) *stand {
	s := &stand{cfg: cfg, set: set, server: server, prefix: cfg.Function}
	if s.prefix == "" {
		s.prefix = "bench-" + strings.ToLower(rand.Text()[:8])
	}
	return s
}

// A sample is what one round has shown.
type sample struct {
	jobs    int
	took    time.Duration
	latency histogram
	parked  bool
	cpu     time.Duration // of the server; 0: unknown
	own     time.Duration // processor time of those that put the load on it
	memory  int64         // of the server, in bytes; 0: unknown
	figures map[string]float64
}

// show adds a figure that only this kind of load has.
func (out *sample) show(name string, value float64) {
	if out.figures == nil {
		out.figures = make(map[string]float64)
	}
	out.figures[name] = value
}

// measure measures what f does.
func (s *stand) measure(out *sample, f func() error) error {
	before, own := s.cpu(), ownCPU()
	begun := time.Now()
	err := f()
	out.took = time.Since(begun)
	out.cpu, out.own = s.cpu()-before, ownCPU()-own
	out.memory = s.memory()
	return err
}

func (s *stand) cpu() time.Duration {
	if s.process == nil {
		return 0
	}
	d, _ := s.process.cpu() // 0 of a process that has gone: its connections tell
	return d
}

func (s *stand) memory() int64 {
	if s.process == nil {
		return 0
	}
	return s.process.memory()
}

// A team is the connections of one round. The first that fails ends all.
type team struct {
	ctx              context.Context
	cancel           context.CancelCauseFunc
	callers, workers sync.WaitGroup
}

// errOver ends a team whose work is done.
var errOver = errors.New("over")

func newTeam(ctx context.Context) *team {
	t := new(team)
	t.ctx, t.cancel = context.WithCancelCause(ctx)
	return t
}

func (t *team) begin(group *sync.WaitGroup, run func() error) {
	group.Go(func() {
		if err := run(); err != nil {
			t.cancel(err) // the first one counts
		}
	})
}

// wait waits for the callers.
func (t *team) wait() error {
	t.callers.Wait()
	return context.Cause(t.ctx)
}

// end dismisses the workers.
func (t *team) end() {
	t.cancel(errOver)
	t.workers.Wait()
}

// workerBuffer is less than a caller's: a worker hears of one job at a time, and
// there may be thousands.
const workerBuffer = 16 << 10

// hire connects the workers. They begin with work.
func (s *stand) hire(t *team, functions []string, change func(*worker)) (crew []*worker, err error) {
	for range s.cfg.Workers {
		wire, err := s.dial(t.ctx)
		if err != nil {
			return nil, err
		}
		wire.in = make([]byte, workerBuffer)
		w := &worker{wire: wire, functions: functions, grabs: s.cfg.Grabs, took: func() {}}
		if change != nil {
			change(w)
		}
		if err := w.introduce(s.cfg.Parked); err != nil {
			return nil, err
		}
		crew = append(crew, w)
	}
	return crew, nil
}

// work lets the crew begin.
func (t *team) work(crew []*worker) {
	for _, w := range crew {
		t.begin(&t.workers, w.run)
	}
}

// drain does jobs that wait.
func (s *stand) drain(ctx context.Context, function string, jobs int, out *sample) error {
	t := newTeam(ctx)
	defer t.end()
	var left atomic.Int64
	left.Store(int64(jobs))
	handedOut := make(chan struct{})
	crew, err := s.hire(t, []string{function}, func(w *worker) {
		w.latency = new(histogram)
		w.took = func() {
			if left.Add(-1) == 0 {
				close(handedOut)
			}
		}
	})
	if err != nil || jobs == 0 {
		return err
	}
	err = s.measure(out, func() error {
		t.work(crew)
		select {
		case <-handedOut:
			return s.operate(t.ctx, func(c *admin.Conn) error { return done(c, function) })
		case <-t.ctx.Done():
			return context.Cause(t.ctx)
		}
	})
	t.end()
	for _, w := range crew {
		out.latency.merge(w.latency)
		out.parked = w.parked
	}
	out.jobs = jobs
	return err
}

// done returns when the server has heard of the end of a function's last job.
func done(c *admin.Conn, function string) error {
	for {
		list, err := c.Functions()
		i := slices.IndexFunc(list, func(f admin.Function) bool { return f.Name == function })
		if err != nil || i < 0 || list[i].Jobs == 0 {
			return err
		}
	}
}

// operate talks to the server as its operator.
func (s *stand) operate(ctx context.Context, do func(*admin.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	nc, err := s.set.Dial(ctx, s.server)
	if err != nil {
		return err
	}
	c := admin.New(ctx, nc)
	defer c.Close()
	return do(c)
}

// ours lists the functions of this stand.
func (s *stand) ours(c *admin.Conn) (all []admin.Function, err error) {
	list, err := c.Functions()
	for _, f := range list {
		if strings.HasPrefix(f.Name, s.prefix) {
			all = append(all, f)
		}
	}
	return all, err
}

// clean takes away what the rounds have left, jobs first.
func (s *stand) clean(ctx context.Context) error {
	if s.cfg.Keep {
		return nil
	}
	var list []admin.Function
	err := s.operate(ctx, func(c *admin.Conn) (err error) {
		list, err = s.ours(c)
		return err
	})
	for _, f := range list {
		if err == nil && f.Jobs > 0 {
			err = s.drain(ctx, f.Name, f.Jobs-f.Running, new(sample))
		}
	}
	if err != nil {
		return fmt.Errorf("jobs of %s* were left at %s: %w", s.prefix, s.server.Host, err)
	}
	return s.operate(ctx, s.dropOurs)
}

// dropOurs takes our functions off the list, which works when the server has
// noticed that the last connections are closed.
func (s *stand) dropOurs(c *admin.Conn) error {
	for {
		list, err := s.ours(c)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, f := range list {
			var busy *admin.Refusal
			if err := c.DropFunction(f.Name); err != nil && !errors.As(err, &busy) {
				return err
			}
		}
	}
}
