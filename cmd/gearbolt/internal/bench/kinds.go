package bench

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A kind is a kind of load.
type kind struct {
	name string
	run  roundFunc // puts it on a server for one round
	warm roundFunc // and this for a moment before the first one; nil: the server must be as it is
}

// A roundFunc puts load on a server for about so long, unless the load has an end
// of its own.
type roundFunc func(s *stand, ctx context.Context, d time.Duration) (*sample, error)

// kinds are in the order in which they make sense.
var kinds = []kind{
	{"sync", (*stand).sync, (*stand).sync},
	{"background", (*stand).background, (*stand).background},
	{"drain", (*stand).drained, (*stand).background},
	{"flow", (*stand).flow, (*stand).flow},
	{"turnover", (*stand).turnover, (*stand).turnover},
	{"mixed", (*stand).mixed, (*stand).mixed},
	{"beside", (*stand).beside, (*stand).sync},
	{"idle", (*stand).idle, (*stand).sync},
	{"queued", (*stand).queued, nil},
	{"functions", (*stand).functions, (*stand).functions},
	{"abilities", (*stand).abilities, (*stand).abilities},
	{"storm", (*stand).storm, (*stand).sync},
}

// Kinds are the names of all kinds.
var Kinds = func() (names []string) {
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}()

// kindOf returns the kind of that name, or nil.
func kindOf(name string) *kind {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if i < 0 {
		return nil
	}
	return &kinds[i]
}

func (s *stand) sync(ctx context.Context, d time.Duration) (*sample, error) {
	if s.cfg.Library != LibraryOff {
		return s.library(ctx, d)
	}
	return s.calls(ctx, d, []string{s.prefix}, s.newLoad(s.prefix))
}

func (s *stand) mixed(ctx context.Context, d time.Duration) (*sample, error) {
	l := s.newLoad(s.prefix)
	l.queueing = true
	return s.calls(ctx, d, []string{s.prefix}, l)
}

func (s *stand) functions(ctx context.Context, d time.Duration) (*sample, error) {
	names := s.names()
	return s.calls(ctx, d, names, s.newLoad(names...))
}

func (s *stand) abilities(ctx context.Context, d time.Duration) (*sample, error) {
	names := s.names()
	return s.calls(ctx, d, names, s.newLoad(names[len(names)/2]))
}

// names are those of many functions.
func (s *stand) names() []string {
	names := make([]string, s.cfg.Functions)
	for i := range names {
		names[i] = fmt.Sprintf("%s-%d", s.prefix, i)
	}
	return names
}

func (s *stand) newLoad(functions ...string) *load {
	l := &load{places: s.cfg.Inflight, size: s.cfg.Size, unique: s.cfg.Unique}
	for _, f := range functions {
		l.functions = append(l.functions, []byte(f))
	}
	return l
}

// calls makes calls for a time, and lets workers of some functions do them.
func (s *stand) calls(ctx context.Context, d time.Duration, abilities []string, l *load) (*sample, error) {
	t := newTeam(ctx)
	defer t.end()
	crew, err := s.hire(t, abilities, nil)
	if err != nil {
		return nil, err
	}
	callers, err := s.callers(t, l)
	if err != nil {
		return nil, err
	}
	out := new(sample)
	err = s.measure(out, func() error {
		t.work(crew)
		return t.call(callers, l, d)
	})
	t.end()
	out.parked = crew[0].parked
	out.count(callers)
	return out, err
}

// callers connects the clients.
func (s *stand) callers(t *team, l *load) ([]*caller, error) {
	callers := make([]*caller, s.cfg.Clients)
	for i := range callers {
		w, err := s.dial(t.ctx)
		if err != nil {
			return nil, err
		}
		callers[i] = newCaller(w, l)
		callers[i].names = i * len(l.functions) / len(callers) // not all in step
	}
	return callers, nil
}

// call makes calls for a time.
func (t *team) call(callers []*caller, l *load, d time.Duration) error {
	defer l.stopAfter(d).Stop()
	for _, c := range callers {
		t.begin(&t.callers, c.run)
	}
	return t.wait()
}

// count adds what the callers have counted.
func (out *sample) count(callers []*caller) {
	for _, c := range callers {
		out.jobs += c.finished
		out.latency.merge(&c.latency)
	}
}

func (l *load) stopAfter(d time.Duration) *time.Timer {
	return time.AfterFunc(d, func() { l.stopping.Store(true) })
}
