package bench

import (
	"context"
	"sync"
	"time"

	"gearbolt/protocol"
)

// Figures of storm.
const (
	canDoPerSecond = "CAN_DO/s"
	worstCall      = "worst call µs"
)

// probePause is how long a client of storm waits before its next call: it is to
// notice what the server is busy with, not to keep it busy.
const probePause = time.Millisecond

// storm lets workers of many functions lose their connections and come back, all
// at once, while others call. One more worker of these functions stays. The
// calls are what the sample is about.
func (s *stand) storm(ctx context.Context, _ time.Duration) (*sample, error) {
	t := newTeam(ctx)
	defer t.end()
	introduction := s.introduction()
	if err := s.register(t.ctx, introduction); err != nil {
		return nil, err
	}
	first := newTeam(t.ctx)
	defer first.end()
	if err := s.registerAll(first, introduction); err != nil {
		return nil, err
	}
	crew, err := s.hire(t, []string{s.prefix}, nil)
	if err != nil {
		return nil, err
	}
	l := s.newLoad(s.prefix)
	l.places = 1
	l.stopping.Store(true) // no call follows by itself
	probes, err := s.callers(t, l)
	if err != nil {
		return nil, err
	}
	out := new(sample)
	t.work(crew)
	err = s.measure(out, func() error {
		stop := t.probe(probes)
		defer stop()
		begun := time.Now()
		first.end()
		err := s.registerAll(t, introduction)
		out.show(canDoPerSecond, float64(s.cfg.Storm*s.cfg.Functions)/time.Since(begun).Seconds())
		return err
	})
	t.end()
	out.parked = crew[0].parked
	out.count(probes)
	out.show(worstCall, micros(out.latency.max))
	return out, err
}

// introduction is what a worker of many functions says.
func (s *stand) introduction() (packets []byte) {
	for _, name := range s.names() {
		packets = protocol.Append(packets, protocol.Req, protocol.CanDo, []byte(name))
	}
	return packets
}

// register connects a worker. When it returns the server knows its functions.
func (s *stand) register(ctx context.Context, introduction []byte) error {
	w, err := s.dial(ctx)
	if err != nil {
		return err
	}
	if _, err := w.nc.Write(introduction); err != nil {
		return err
	}
	return w.echo()
}

// registerAll connects all workers of the storm at once.
func (s *stand) registerAll(t *team, introduction []byte) error {
	var all sync.WaitGroup
	for range s.cfg.Storm {
		t.begin(&all, func() error { return s.register(t.ctx, introduction) })
	}
	all.Wait()
	return context.Cause(t.ctx)
}

// probe lets clients make one call after the other, with pauses, until stop is
// called.
func (t *team) probe(clients []*caller) (stop func()) {
	over := make(chan struct{})
	for _, c := range clients {
		t.begin(&t.callers, func() error {
			pause := time.NewTicker(probePause)
			defer pause.Stop()
			for {
				if err := c.run(); err != nil {
					return err
				}
				select {
				case <-over:
					return nil
				case <-pause.C:
				}
			}
		})
	}
	return func() {
		close(over)
		t.callers.Wait()
	}
}
