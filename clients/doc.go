// Package clients is a Gearman library: a [Client] calls functions, a [Worker]
// does them. It works with any Gearman server, and with Gearbolt it is faster.
//
// # Calling
//
//	client, err := clients.NewClient(clients.Config{Servers: []string{"jobs-1", "jobs-2"}})
//	...
//	result, err := client.Call(ctx, "resize", payload)              // waits for the result
//	handle, err := client.Submit(ctx, "mail", payload)              // returns when the job is queued
//	for event, err := range client.Stream(ctx, "render", payload) { // shows data, warnings and progress
//
// A client is made once and used by all goroutines. It holds one connection to
// each server, on which any number of calls are under way at once; packets of
// calls that are made at the same time leave in one write. It dials when a call
// needs it, replaces a connection that is lost, and asks silent servers for a
// sign of life.
//
// A [Function] gives a function types:
//
//	var Resize = clients.Function[ResizeArgs, Image]{Name: "resize"}
//
//	image, err := Resize.Call(ctx, client, ResizeArgs{Width: 100})
//
// # What can go wrong
//
// Each error says what a program can do about it:
//
//	errors.Is(err, ErrFailed)          the function failed, and said no more
//	errors.As(err, &exception)         it raised an [Exception]
//	errors.Is(err, ErrQueueFull)       nothing was queued: later, or elsewhere
//	errors.Is(err, ErrNoServer)        nothing was sent: try again
//	errors.Is(err, ErrLost)            it may have run: try again if that does no harm
//	errors.Is(err, context.Canceled),
//	context.DeadlineExceeded           the caller's own time is over
//	errors.Is(err, ErrClosed)          the client is closed
//	errors.Is(err, ErrInvalid)         a mistake in the call
//
// [errors.As] with an [*Error] tells the rest: function, server, handle, and
// Sent, which is false if certainly no server has the job.
//
// A call whose context ends returns at once. Gearman has no word to take a job
// back: it may go on, and what comes of it is dropped.
//
// # Several servers
//
// A call goes to the first server of [Config.Servers] that can be reached, or
// with [ByUnique] to the one that its unique id hashes to, so that calls with
// one id meet and are joined whatever process they come from. When it certainly
// was not sent, the next server gets it, as long as the call's context lasts.
// When none can be reached the call fails with [ErrNoServer], or with
// [WaitForServer] waits for one. Only [Retry] sends again what may have arrived.
//
// # Working
//
//	worker, err := clients.NewWorker(config, 16) // up to 16 jobs at once
//	worker.Handle("resize", resize, clients.Timeout(time.Minute))
//	worker.Handle("report", report, clients.Slots(1)) // one at a time, in a slot of its own
//	err = worker.Run(ctx)                        // until ctx ends and the last job is done
//
// A [Handler] gets a context and a [Job], and returns the result or an error. A
// panic in it ends the job and not the process. Middleware is plain functions:
//
//	worker.Handle("resize", logged(traced(resize)))
//
// # Parked grabs
//
// Between worker and server this package gives a meaning to ALL_YOURS, which
// the protocol has left open. The rule, as a worker of this package follows it:
//
//   - On a connection that is its worker's only one for a pool of slots it sends
//     ALL_YOURS and then ECHO_REQ. ERROR before ECHO_RES means that the server
//     keeps no grabs, and it never asks for that again on this connection.
//   - Else it sends a GRAB_JOB_ALL for each free slot. Each is answered once: by
//     JOB_ASSIGN, JOB_ASSIGN_UNIQ or JOB_ASSIGN_ALL as soon as there is a job for
//     one of its functions, at once or later, in the order in which they were
//     sent; or by NO_JOB when they are taken back.
//   - PRE_SLEEP takes all back, at shutdown. A job that was on its way is done.
//   - NO_JOB for a grab that was not taken back means that the server keeps none
//     after all: the worker goes on with PRE_SLEEP, NOOP and GRAB_JOB_ALL.
//   - ECHO_REQ, WORK_* and everything else keep their meaning. What the server
//     makes of CANT_DO and RESET_ABILITIES does not matter here, for a worker
//     that is started does not send them; a lost connection takes its grabs
//     along, and the next one registers everything again.
//
// # Coming from github.com/mikespook/gearman-go
//
//	client.New("tcp", addr)                  NewClient(Config{Servers: []string{addr}})
//	c.Do(f, data, client.JobHigh, callback)  c.Call(ctx, f, data, Priority(High)); c.Stream for more than the result
//	c.DoWithId(..., id)                      c.Call(..., Unique(id))
//	c.DoBg(f, data, client.JobNormal)        c.Submit(ctx, f, data)
//	c.Status(handle)                         c.Status(ctx, Handle{ID: handle})
//	c.Echo(data)                             c.Echo(ctx, data)
//	c.ResponseTimeout, c.ErrorHandler        a context; errors that calls return
//	client.NewPool(), pool.Add               Config.Servers, Config.Pick
//	worker.New(worker.OneByOne)              NewWorker(Config{...}, 1)
//	worker.New(worker.Unlimited)             NewWorker(Config{...}, n): there is always a bound
//	w.AddServer("tcp4", addr)                Config.Servers
//	w.AddFunc(f, jobFunc, seconds)           w.Handle(f, handler, Timeout(d))
//	w.SetId(id)                              Config.ID
//	w.Ready(); w.Work()                      w.Run(ctx), or w.Start()
//	w.Shutdown(); w.Close()                  w.Shutdown(ctx); w.Close()
//	job.Data(), job.UniqueId()               job.Payload, job.Unique
//	job.SendData, job.SendWarning            job.Data, job.Warning
//	job.UpdateStatus(n, d)                   job.Progress(n, d)
//	return data, err                         exception and data: return nil, &Exception{Data: data}
//	w.ErrorHandler, *WorkerDisconnectError   nothing: connections come back by themselves
//
// Two differences need thought. That package gives each job a unique id of its
// own, this one gives none unless [Unique] says so. And an error that a handler
// returns reaches the caller as an exception with its text, not as a bare
// failure; return [ErrFailed] for that.
package clients
