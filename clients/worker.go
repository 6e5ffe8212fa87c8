package clients

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// A Worker does jobs of all its servers at once.
//
// Each of its functions is handled either in one of the worker's slots, which
// all functions share, or in slots of its own ([Slots]). Functions with slots of
// their own have a connection of their own to each server, so that no job is
// taken from a server before there is a slot for it.
//
// With a single server, free slots wait in parked grabs where the server
// supports them: after ALL_YOURS the worker sends one GRAB_JOB_ALL for each free
// slot, and the server keeps those that it has no job for and answers each with
// JOB_ASSIGN when it has one. That spares the round of NO_JOB, PRE_SLEEP, NOOP
// and GRAB_JOB for each job. At the end PRE_SLEEP takes the grabs back. A server
// that answers ALL_YOURS with ERROR, as gearmand does, or a grab with NO_JOB, is
// served in the old way. So are several servers: a slot that is promised to one
// would be lost to the others.
type Worker struct {
	cfg       Config
	addresses []address
	slots     int

	dialing     context.Context // ends at Shutdown: no new connections
	stopDialing context.CancelFunc
	ctx         context.Context // ends at Close
	cancel      context.CancelFunc
	tasks       sync.WaitGroup // the goroutines that hold connections
	jobs        sync.WaitGroup // no job begins any more when tasks are done

	mu        sync.Mutex // guards what follows
	functions map[string]*function
	wrong     error // the first mistake in a call of Handle
	pools     []*pool
	started   bool
	stopped   bool
}

// NewWorker returns a worker that runs up to slots jobs at once. It fails only
// where its arguments make no sense: no server need be there yet.
func NewWorker(c Config, slots int) (*Worker, error) {
	c = c.withDefaults()
	all, err := c.addresses()
	if err == nil && slots < 1 {
		err = fmt.Errorf("clients: %w: a worker needs at least one slot", ErrInvalid)
	}
	if err != nil {
		return nil, err
	}
	w := &Worker{cfg: c, addresses: all, slots: slots, functions: make(map[string]*function)}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.dialing, w.stopDialing = context.WithCancel(w.ctx)
	return w, nil
}

// Handle makes the worker do jobs of a function, once it is started. What is
// wrong with the arguments, [Worker.Start] says. A middleware is a function
// that takes a [Handler] and returns one.
func (w *Worker) Handle(name string, h Handler, opts ...HandleOption) {
	f := &function{name: name, handler: h}
	for _, o := range opts {
		o(f)
	}
	err := f.check()
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err != nil:
	case w.functions[name] != nil:
		err = fmt.Errorf("clients: handle %q: %w: it is handled already", name, ErrInvalid)
	case w.started:
		err = fmt.Errorf("clients: handle %q: %w: the worker is started", name, ErrInvalid)
	default:
		w.functions[name] = f
	}
	if w.wrong == nil {
		w.wrong = err
	}
}

// Start connects to all servers, and keeps at it: it does not wait for them.
func (w *Worker) Start() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.wrong != nil:
		return w.wrong
	case w.stopped:
		return fmt.Errorf("clients: worker: %w", ErrClosed)
	case w.started:
		return fmt.Errorf("clients: %w: the worker is started already", ErrInvalid)
	case len(w.functions) == 0:
		return fmt.Errorf("clients: %w: the worker handles no function", ErrInvalid)
	}
	w.started = true
	w.makePools()
	for _, p := range w.pools {
		for _, a := range w.addresses {
			w.tasks.Go(func() { w.cfg.hold(w.dialing, a, &post{pool: p, addr: a}) })
		}
	}
	return nil
}

// makePools puts functions together that share slots.
func (w *Worker) makePools() {
	common := newPool(w, w.slots)
	for _, f := range w.functions {
		p := common
		if f.slots > 0 {
			p = newPool(w, f.slots)
			w.pools = append(w.pools, p)
		}
		p.functions[f.name] = f
	}
	if len(common.functions) > 0 {
		w.pools = append(w.pools, common)
	}
}

// Shutdown takes no new jobs, waits until those that run are done and the
// servers have their results, and ends the worker. When ctx ends first, it ends
// the worker as Close does but for waiting, and returns ctx's error.
func (w *Worker) Shutdown(ctx context.Context) error {
	w.stopDialing()
	for _, p := range w.stop() {
		p.stop()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.wait()
	}()
	select {
	case <-done:
		w.cancel()
		return nil
	case <-ctx.Done():
		w.cancel()
		return ctx.Err()
	}
}

// Close ends the worker at once: the contexts of the jobs that run end, their
// servers give them to other workers, and Close returns when the handlers have
// returned. No goroutine of the worker is left then.
func (w *Worker) Close() error {
	w.stop()
	w.cancel()
	w.wait()
	return nil
}

// Run starts the worker, shuts it down when ctx ends, and returns when the last
// job is done. Who wants to bound that calls Start and Shutdown instead.
func (w *Worker) Run(ctx context.Context) error {
	if err := w.Start(); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-w.ctx.Done():
	}
	if err := w.Shutdown(context.WithoutCancel(ctx)); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// stop makes Start impossible and returns what is to be stopped.
func (w *Worker) stop() []*pool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	return w.pools
}

// wait waits for the end of all goroutines.
func (w *Worker) wait() {
	w.tasks.Wait()
	w.jobs.Wait()
}
