package bench

import (
	"context"
	"sync"
	"time"

	"gearbolt/protocol"
)

// bytesPerSleeper is the figure of idle: how much more memory the server has
// for each connection that sleeps.
const bytesPerSleeper = "bytes/sleeper"

// idle makes calls while connections sleep.
func (s *stand) idle(ctx context.Context, d time.Duration) (*sample, error) {
	t := newTeam(ctx)
	defer t.end()
	before := s.memory()
	if err := s.sleepers(t); err != nil {
		return nil, err
	}
	after := s.memory()
	out, err := s.calls(ctx, d, []string{s.prefix}, s.newLoad(s.prefix))
	if out != nil && s.process != nil {
		out.show(bytesPerSleeper, float64(max(after-before, 0))/float64(s.cfg.Idle))
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
	return w.echo()
}
