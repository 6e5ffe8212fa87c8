package bench

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Figures of queued and drain: how much more memory the server has for each job, in all
// and without the payload.
const (
	bytesPerJob    = "bytes/job"
	bytesPerRecord = "bytes/job beyond payload"
)

// background queues jobs for a time.
func (s *stand) background(ctx context.Context, d time.Duration) (*sample, error) {
	out := new(sample)
	if err := s.queue(ctx, out, d, -1); err != nil {
		return nil, err
	}
	return out, s.clean(ctx)
}

// queued queues a number of jobs.
func (s *stand) queued(ctx context.Context, _ time.Duration) (*sample, error) {
	out, err := s.fill(ctx)
	if err != nil {
		return nil, err
	}
	return out, s.clean(ctx)
}

// fill queues a number of jobs, which stay.
func (s *stand) fill(ctx context.Context) (*sample, error) {
	out := new(sample)
	before := s.memory()
	if err := s.queue(ctx, out, 0, s.cfg.Jobs); err != nil {
		return nil, err
	}
	if s.process != nil {
		each := float64(s.memory()-before) / float64(s.cfg.Jobs)
		out.show(bytesPerJob, each)
		out.show(bytesPerRecord, each-float64(max(s.cfg.Size, header)))
	}
	return out, nil
}

// drained queues a number of jobs, and then lets workers do them.
func (s *stand) drained(ctx context.Context, _ time.Duration) (*sample, error) {
	queued, err := s.fill(ctx)
	if err != nil {
		return nil, err
	}
	out := &sample{figures: queued.figures}
	return out, s.drain(ctx, s.prefix, queued.jobs, out)
}

// queue queues jobs: so many in all, or for a time if that is negative.
func (s *stand) queue(ctx context.Context, out *sample, d time.Duration, jobs int) error {
	t := newTeam(ctx)
	defer t.end()
	l := s.newLoad(s.prefix)
	queuers, err := s.queuers(t, l, jobs)
	if err != nil {
		return err
	}
	err = s.measure(out, func() error { return t.queue(queuers, l, d) })
	out.countQueued(queuers)
	return err
}

// queuers connects those that queue a number of jobs between them; < 0: as many
// as they can.
func (s *stand) queuers(t *team, l *load, jobs int) ([]*queuer, error) {
	queuers := make([]*queuer, s.cfg.Clients)
	for i := range queuers {
		w, err := s.dial(t.ctx)
		if err != nil {
			return nil, err
		}
		share := -1
		if jobs >= 0 {
			share = (jobs + i) / len(queuers)
		}
		queuers[i] = newQueuer(w, l, share)
	}
	return queuers, nil
}

// queue queues jobs for a time, or what there is to queue if that is 0.
func (t *team) queue(queuers []*queuer, l *load, d time.Duration) error {
	if d > 0 {
		defer l.stopAfter(d).Stop()
	}
	for _, q := range queuers {
		t.begin(&t.callers, q.run)
	}
	return t.wait()
}

func (out *sample) countQueued(queuers []*queuer) {
	for _, q := range queuers {
		out.jobs += q.finished
		out.latency.merge(&q.latency)
	}
}

// flow queues jobs for a time while workers do them. It is over when as many
// are handed out as were queued: a server gains nothing by preferring the one
// side to the other.
func (s *stand) flow(ctx context.Context, d time.Duration) (*sample, error) {
	t := newTeam(ctx)
	defer t.end()
	l := s.newLoad(s.prefix)
	books := &books{level: make(chan struct{})}
	crew, err := s.hire(t, []string{s.prefix}, func(w *worker) { w.took = books.take })
	if err != nil {
		return nil, err
	}
	queuers, err := s.queuers(t, l, -1)
	if err != nil {
		return nil, err
	}
	out := new(sample)
	err = s.measure(out, func() error {
		t.work(crew)
		if err := t.queue(queuers, l, d); err != nil {
			return err
		}
		out.countQueued(queuers)
		return books.await(t.ctx, out.jobs)
	})
	t.end()
	if err != nil {
		return nil, err
	}
	out.parked = crew[0].parked
	return out, s.clean(ctx)
}

// Books compare the jobs that were handed out with those that are expected.
type books struct {
	taken, expected atomic.Int64 // expected 0: it is not known yet
	level           chan struct{}
	once            sync.Once
}

// take counts a job that was handed out.
func (b *books) take() {
	b.taken.Add(1)
	b.compare()
}

func (b *books) compare() {
	if n := b.expected.Load(); n > 0 && b.taken.Load() >= n {
		b.once.Do(func() { close(b.level) })
	}
}

// await returns when n jobs are handed out.
func (b *books) await(ctx context.Context, n int) error {
	if n == 0 {
		return nil
	}
	b.expected.Store(int64(n))
	b.compare()
	select {
	case <-b.level:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
