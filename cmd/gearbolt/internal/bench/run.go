package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gearbolt/cmd/gearbolt/internal/admin"
	"gearbolt/cmd/gearbolt/internal/target"
)

// A Config says what is measured. All numbers are more than 0.
type Config struct {
	Kinds     []string      `json:"kinds"` // of Kinds
	Rounds    int           `json:"rounds"`
	Duration  time.Duration `json:"duration_ns"` // of a round
	WarmUp    time.Duration `json:"warm_up_ns"`  // how long a server is loaded before the first round of a kind; 0: not at all
	Clients   int           `json:"clients"`     // connections that call
	Inflight  int           `json:"inflight"`    // calls under way on each
	Workers   int           `json:"workers"`     // connections that work
	Grabs     int           `json:"grabs"`       // of each that wait for a job at once
	Parked    Parked        `json:"parked"`
	Size      int           `json:"payload_bytes"`
	Jobs      int           `json:"jobs"`      // of a round of drain
	Idle      int           `json:"idle"`      // connections that sleep, of idle
	Functions int           `json:"functions"` // of functions
	Rate      int           `json:"rate"`      // packets a second in all, of beside
	Storm     int           `json:"storm"`     // workers that connect at once, of storm
	Unique    bool          `json:"unique"`    // each job has an id, and none that of another
	Library   Library       `json:"library"`   // who uses package clients, of sync

	// Function is called or queued for instead of one with a random name. Keep
	// leaves jobs that are queued.
	Function string `json:"function,omitempty"`
	Keep     bool   `json:"keep,omitempty"`
}

// Check finds what makes no sense.
func (c *Config) Check() error {
	for _, name := range c.Kinds {
		if kindOf(name) == nil {
			return fmt.Errorf("there is no kind of load %q; give some of %v", name, Kinds)
		}
		if c.Library != LibraryOff && name != "sync" {
			return fmt.Errorf("the library is measured with the kind sync, not with %s", name)
		}
	}
	for _, n := range []int{c.Rounds, int(c.Duration), c.Clients, c.Inflight, c.Workers, c.Grabs, c.Size, c.Jobs, c.Idle, c.Functions, c.Rate, c.Storm} {
		if n < 1 {
			return errors.New("a number below 1 measures nothing")
		}
	}
	if c.WarmUp < 0 {
		return fmt.Errorf("a warm-up of %v is in the past", c.WarmUp)
	}
	if !slices.Contains([]Library{LibraryOff, LibraryWorkers, LibraryBoth}, c.Library) {
		return fmt.Errorf("the library is used by %q; give both or workers", c.Library)
	}
	if c.Function != "" && !c.Keep {
		return fmt.Errorf("jobs of %q may be somebody else's, and would be taken away; give --keep", c.Function)
	}
	if !slices.Contains([]Parked{ParkedAuto, ParkedOn, ParkedOff}, c.Parked) {
		return fmt.Errorf("parked grabs are %q; give auto, on or off", c.Parked)
	}
	return nil
}

// Run measures the servers of the set, of which there may be several: with each
// kind of load, they take turns, and another begins in each round. tell hears
// what is being done.
func Run(ctx context.Context, cfg Config, set *target.Set, tell func(string)) (*Report, error) {
	report := &Report{Config: cfg}
	var stands []*stand
	for _, server := range set.Servers {
		s := newStand(&cfg, set, server)
		about, err := s.look(ctx)
		if err != nil {
			return nil, err
		}
		stands = append(stands, s)
		report.Servers = append(report.Servers, *about)
	}
	for _, name := range cfg.Kinds {
		samples, err := cfg.measure(ctx, name, stands, tell)
		for _, s := range stands {
			err = errors.Join(err, s.clean(context.WithoutCancel(ctx)))
		}
		if err != nil {
			return nil, err
		}
		report.add(name, samples)
	}
	return report, nil
}

// measure measures all servers with one kind of load. It returns the samples of
// each.
func (c *Config) measure(ctx context.Context, name string, stands []*stand, tell func(string)) ([][]*sample, error) {
	kind := kindOf(name)
	samples := make([][]*sample, len(stands))
	for _, s := range stands {
		if kind.warm == nil || c.WarmUp == 0 {
			break
		}
		tell(fmt.Sprintf("%s: warming up %s", name, s.server.Host))
		if _, err := kind.warm(s, ctx, min(c.Duration, c.WarmUp)); err != nil {
			return nil, s.failed(name, err)
		}
	}
	for round := range c.Rounds {
		for i := range stands {
			at := (i + round) % len(stands)
			s := stands[at]
			tell(fmt.Sprintf("%s: round %d of %d at %s", name, round+1, c.Rounds, s.server.Host))
			out, err := kind.run(s, ctx, c.Duration)
			if err != nil {
				return nil, s.failed(name, err)
			}
			samples[at] = append(samples[at], out)
		}
	}
	return samples, nil
}

// failed says where a kind of load has failed.
func (s *stand) failed(kind string, err error) error {
	return fmt.Errorf("%s at %s: %w", kind, s.server.Host, err)
}

// look finds out about a server.
func (s *stand) look(ctx context.Context) (*Server, error) {
	about := &Server{Address: s.server.Host}
	err := s.operate(ctx, func(c *admin.Conn) (err error) {
		about.Version, err = c.Version()
		return err
	})
	if err != nil {
		return nil, err
	}
	if s.process, err = s.observe(ctx); err != nil {
		about.Unobserved = err.Error()
	} else {
		about.PID = s.process.pid
	}
	return about, nil
}
