package main

import (
	"context"
	"errors"
	"io"
	"time"

	"gearbolt/conf"
	"gearbolt/persist"
)

// A predecessor that is ending may still hold its port and its store. gearmand
// waits for its port, and its start scripts count on that; nobody else likes to
// wait long for a mistake: it is to be heard of within a second.
const (
	startPatience  = 800 * time.Millisecond
	dropInPatience = 20 * time.Second
)

// A wait is how long the start waits for what is in use, all in all: until a
// point in time, or until somebody ends the process.
type wait struct {
	ctx   context.Context
	until time.Time
}

func newWait(ctx context.Context, inv *conf.Invocation) wait {
	patience := startPatience
	if inv.DropIn {
		patience = dropInPatience
	}
	return wait{ctx, time.Now().Add(patience)}
}

// retried calls f again and again as long as its error says inUse.
func retried[T any](w wait, inUse func(error) bool, f func() (T, error)) (T, error) {
	for {
		v, err := f()
		if err == nil || !inUse(err) || !time.Now().Before(w.until) {
			return v, err
		}
		select {
		case <-w.ctx.Done():
			return v, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// errToldToEnd is why a start ends that somebody has interrupted.
var errToldToEnd = errors.New("told to end before it served")

// unlessTold returns what f does, which may take a while and cannot be stopped.
// When the process is to end meanwhile, f is left alone; what it opens then, if
// the process lives that long, is closed.
func unlessTold[T io.Closer](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		opened T
		err    error
	}
	done := make(chan result, 1)
	go func() {
		opened, err := f()
		done <- result{opened, err}
	}()
	select {
	case r := <-done:
		return r.opened, r.err
	case <-ctx.Done():
	}
	go func() {
		if r := <-done; r.err == nil {
			r.opened.Close()
		}
	}()
	var none T
	return none, errToldToEnd
}

// An interruptible store stops loading, which may take a while, when the
// process is to end.
type interruptible struct {
	persist.Store
	ctx context.Context
}

// Load is part of persist.Store.
func (s interruptible) Load(f func(persist.Change) error) error {
	return s.Store.Load(func(c persist.Change) error {
		if s.ctx.Err() != nil {
			return errToldToEnd
		}
		return f(c)
	})
}

// Backup is part of persist.Backuper.
func (s interruptible) Backup(name string, stop <-chan struct{}) (path string, size int64, err error) {
	if b, ok := s.Store.(persist.Backuper); ok {
		return b.Backup(name, stop)
	}
	return "", 0, persist.ErrNoBackup
}
