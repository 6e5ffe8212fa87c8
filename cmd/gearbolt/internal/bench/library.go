package bench

import (
	"context"
	"log/slog"
	"time"

	"gearbolt/clients"
)

// Library says who uses package clients instead of packets of their own.
type Library string

const (
	LibraryOff     Library = ""
	LibraryBoth    Library = "both"    // callers and workers
	LibraryWorkers Library = "workers" // workers alone
)

// library makes calls through package clients, and lets its workers do them.
func (s *stand) library(ctx context.Context, d time.Duration) (*sample, error) {
	t := newTeam(ctx)
	defer t.end()
	out := new(sample)
	if err := s.libraryWorkers(t, out); err != nil {
		return nil, err
	}
	if s.cfg.Library == LibraryWorkers {
		return out, s.callLibrary(t, d, out)
	}
	l := s.newLoad(s.prefix)
	callers, err := s.libraryCallers(t, l)
	if err != nil {
		return nil, err
	}
	err = s.measure(out, func() error {
		defer l.stopAfter(d).Stop()
		for _, c := range callers {
			t.begin(&t.callers, func() error { return c.run(t.ctx) })
		}
		return t.wait()
	})
	for _, c := range callers {
		out.jobs += int(c.latency.n)
		out.latency.merge(&c.latency)
	}
	return out, err
}

// callLibrary makes calls with callers of this package.
func (s *stand) callLibrary(t *team, d time.Duration, out *sample) error {
	l := s.newLoad(s.prefix)
	callers, err := s.callers(t, l)
	if err != nil {
		return err
	}
	err = s.measure(out, func() error { return t.call(callers, l, d) })
	out.count(callers)
	return err
}

// libraryCallers connects clients, which the end of the team closes.
func (s *stand) libraryCallers(t *team, l *load) (callers []*libraryCaller, err error) {
	for range s.cfg.Clients {
		client, err := clients.NewClient(s.libraryConfig())
		if err != nil {
			return nil, err
		}
		context.AfterFunc(t.ctx, func() { client.Close() })
		if _, err := client.Echo(t.ctx, hello); err != nil {
			return nil, err
		}
		for range s.cfg.Inflight {
			callers = append(callers, &libraryCaller{client: client, load: l, payload: make([]byte, s.cfg.Size)})
		}
	}
	return callers, nil
}

func (s *stand) libraryConfig() clients.Config {
	return clients.Config{
		Servers:       []string{s.server.URL()},
		TLS:           s.set.TLS,
		Logger:        slog.New(slog.DiscardHandler),
		NoParkedGrabs: s.cfg.Parked == ParkedOff,
	}
}

// libraryWorkers hires workers. Whether the server keeps their grabs, a worker
// of this package finds out before.
func (s *stand) libraryWorkers(t *team, out *sample) error {
	probe := newTeam(t.ctx)
	crew, err := s.hire(probe, []string{s.prefix}, nil)
	probe.end()
	if err != nil {
		return err
	}
	out.parked = crew[0].parked
	for range s.cfg.Workers {
		w, err := clients.NewWorker(s.libraryConfig(), s.cfg.Grabs)
		if err != nil {
			return err
		}
		w.Handle(s.prefix, func(_ context.Context, job *clients.Job) ([]byte, error) { return job.Payload, nil })
		t.begin(&t.workers, func() error {
			defer w.Close()
			return w.Run(t.ctx)
		})
	}
	return nil
}

// A libraryCaller is one goroutine that calls.
type libraryCaller struct {
	client  *clients.Client
	load    *load
	payload []byte
	latency histogram
}

func (c *libraryCaller) run(ctx context.Context) error {
	for !c.load.stopping.Load() {
		begun := time.Now()
		if _, err := c.client.Call(ctx, string(c.load.functions[0]), c.payload); err != nil {
			return err
		}
		c.latency.add(time.Since(begun))
	}
	return nil
}
