package bench

import (
	"context"
	"time"

	"gearbolt/protocol"
)

// turnover lets each connection queue jobs and do as many of the same function,
// so that the number of those that wait, few or many, stays what it is.
func (s *stand) turnover(ctx context.Context, d time.Duration) (*sample, error) {
	t := newTeam(ctx)
	defer t.end()
	l := s.newLoad(s.prefix)
	turners := make([]*turner, s.cfg.Clients)
	for i := range turners {
		w, err := s.dial(t.ctx)
		if err != nil {
			return nil, err
		}
		w.say(protocol.CanDo, l.functions[0])
		if err := w.echo(); err != nil {
			return nil, err
		}
		turners[i] = &turner{queuer: newQueuer(w, l, -1)}
	}
	out := new(sample)
	err := s.measure(out, func() error {
		defer l.stopAfter(d).Stop()
		for _, c := range turners {
			t.begin(&t.callers, c.run)
		}
		return t.wait()
	})
	for _, c := range turners {
		out.jobs += c.finished
		out.latency.merge(&c.latency)
	}
	return out, err
}

// A turner is a connection that grabs a job for each that it has queued. There
// is always one, its own or an older one.
type turner struct {
	*queuer
	owed int // jobs that were queued and not done in return
}

func (c *turner) run() error {
	for range c.load.places {
		c.turn()
	}
	if c.owed == 0 {
		return nil
	}
	if err := c.serve(c.hear); err != nil {
		return err
	}
	return c.echo() // the last job's end is known before the connection's
}

func (c *turner) turn() {
	if c.queue() {
		c.owed++
	}
}

func (c *turner) hear(m protocol.Message) error {
	switch m.Type {
	case protocol.JobCreated:
		c.created()
		c.say(protocol.GrabJob)
		return nil
	case protocol.JobAssign:
		return c.work(m.Body)
	}
	return unexpected(m)
}

func (c *turner) work(body []byte) error {
	var args protocol.Args
	if err := protocol.Split(protocol.JobAssign, body, &args); err != nil {
		return err
	}
	c.say(protocol.WorkComplete, args.Arg[0], args.Data)
	c.owed--
	if c.turn(); c.owed == 0 {
		return errDone
	}
	return nil
}
