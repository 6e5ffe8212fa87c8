package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
)

// A row is one promise: what is done to servers, and what is to come out.
type row struct {
	name    string
	what    string // in words
	sides   []side
	fresh   bool // each round begins with new servers: what is measured is left in their memory
	long    bool // it takes minutes, or gigabytes
	relay   bool // a bare relay can do it, too
	targets []target
}

// A side is one of those that take turns in a row: a server, and what is done
// to it.
type side struct {
	name   string
	server serverKind
	before func(ctx context.Context, r *rig, s *server) error // once for each new server; may be nil
	round  func(ctx context.Context, r *rig, s *server) (metrics, error)
}

// load is a round of "gearbolt bench".
func load(args ...string) func(context.Context, *rig, *server) (metrics, error) {
	return func(ctx context.Context, r *rig, s *server) (metrics, error) { return r.bench(ctx, s, args...) }
}

// A run is a row while it is measured.
type run struct {
	*row
	rig     *rig
	servers []*server
	shown   []map[string][]float64 // by side and metric, one value a round
	failed  []error                // by side; the first one ends the side's part
}

// run measures the row and returns its figures.
func (r *row) run(ctx context.Context, rig *rig, rounds int) []figure {
	n := len(r.sides)
	x := &run{row: r, rig: rig, servers: make([]*server, n), shown: make([]map[string][]float64, n), failed: make([]error, n)}
	for i := range x.shown {
		x.shown[i] = make(map[string][]float64)
	}
	for round := range rounds {
		fmt.Fprintf(os.Stderr, "%s: round %d of %d\n", r.name, round+1, rounds)
		for i := range n {
			x.turn(ctx, (i+round)%n)
		}
		if r.fresh {
			x.stop()
		}
	}
	x.stop()
	return x.figures()
}

// turn is one round of one side.
func (x *run) turn(ctx context.Context, i int) {
	if x.failed[i] != nil {
		return
	}
	limit := x.rig.limit
	if x.long {
		limit *= 20
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	m, err := x.measure(ctx, i)
	if err != nil {
		x.failed[i] = errors.New(strings.ReplaceAll(err.Error(), "\n", "; "))
		fmt.Fprintf(os.Stderr, "%s, %s: %v\n", x.name, x.sides[i].name, x.failed[i])
		return
	}
	for name, value := range m {
		x.shown[i][name] = append(x.shown[i][name], value)
	}
}

func (x *run) measure(ctx context.Context, i int) (metrics, error) {
	side := &x.sides[i]
	if x.servers[i] == nil {
		s, err := x.rig.start(side.server)
		if err != nil {
			return nil, err
		}
		x.servers[i] = s
		if side.before != nil {
			if err := side.before(ctx, x.rig, s); err != nil {
				return nil, err
			}
		}
	}
	return side.round(ctx, x.rig, x.servers[i])
}

// stop ends the row's servers, at once: one with millions of jobs takes its
// time.
func (x *run) stop() {
	var all sync.WaitGroup
	for i, s := range x.servers {
		if s != nil {
			all.Go(s.stop)
		}
		x.servers[i] = nil
	}
	all.Wait()
}
