// Package router is the machine that decides which worker runs which job.
//
// # The machine
//
// A [Machine] takes events and yields data. The events are [Machine.Connect],
// [Machine.Step] (a packet or an admin line), [Machine.Disconnect] and before it
// [Machine.Dismiss], [Machine.Tick], and what the store answers:
// [Machine.Committed], [Machine.Fetched] and [Machine.BackedUp]; nearly all come
// with the time. After one event or several the caller takes what they have led
// to: [Machine.Sends] (bytes for connections), [Machine.Changes] (what the store
// is to keep), [Machine.Fetches] (payloads to be read back), [Machine.Backups]
// (copies to be made) and [Machine.Next] (when to tick). There is no goroutine,
// lock, socket, logger or clock inside, so that the same events give the same
// data, always.
//
// # A job's life
//
//	         SUBMIT_JOB_*BG,               commit
//	         _EPOCH, _SCHED   ┌─────────┐  refused
//	        ─────────────────►│ pending │──────────► ERROR, never existed
//	                          └────┬────┘
//	                     committed │ JOB_CREATED
//	                     ┌─────────┴─────────┐
//	              due now│                   │due later
//	                     │    its time   ┌───▼─────┐
//	                     │   ┌───────────┤ delayed │
//	 SUBMIT_JOB*      ┌──▼───▼──┐        └─────────┘
//	─────────────────►│ queued  │◄──────────────┐
//	    JOB_CREATED   └──┬───┬──┘               │ worker lost, or its time is up,
//	  last client leaves │   │ GRAB_JOB*        │ and --job-retries not reached
//	  (foreground), or   │   │ JOB_ASSIGN*      │
//	  "cancel job"       │ ┌─▼───────┐          │
//	                     │ │ running ├──────────┘
//	                     │ └─┬───────┘
//	                     ▼   ▼ WORK_COMPLETE, WORK_FAIL, WORK_EXCEPTION
//	                     done
//
// A foreground job that a background submission with the same unique id joins
// becomes a background job when that is committed, wherever it is in its life.
//
// # Parked grabs
//
// Parked grabs give ALL_YOURS a meaning, which PROTOCOL has left open: they
// spare a worker the round of NO_JOB, PRE_SLEEP, NOOP and GRAB_JOB. The rule:
//
//   - A GRAB_JOB, GRAB_JOB_UNIQ or GRAB_JOB_ALL on a connection that has said
//     ALL_YOURS is answered at once if there is a job for the connection. If
//     there is none it is kept, and answered by JOB_ASSIGN* when there is one.
//     Several may be kept, and are answered in the order in which they came.
//   - A connection that has requests kept is a sleeping worker that need not
//     be woken: it has its turn among the sleeping ones, its functions have
//     theirs and priorities hold, once for each request.
//   - CAN_DO serves kept requests by the new function. CANT_DO and
//     RESET_ABILITIES leave them kept, for what functions remain.
//   - PRE_SLEEP takes all kept requests back: each is answered with NO_JOB, and
//     then PRE_SLEEP means what it always means. Every request is answered once.
//   - A connection that is lost loses its requests, and one that has 4096
//     of them is told ERROR for more.
//
// # Rules
//
// The laws are these. A background job is acknowledged, and may be assigned,
// only when the store has it (store.go). Replies keep their order on a
// connection: clients match JOB_CREATED by order (send.go). If a job is queued
// and a capable worker sleeps, a NOOP is outstanding, but no more workers are
// woken than there is work (wake.go). Priorities are global across a worker's
// functions, and within one priority functions take turns (grab.go). A job is
// given up only by its worker's word, by policy or by an operator, and a
// worker's late word about a job that it no longer holds changes nothing
// (work.go). There is a limit on all that peers can make the machine keep, and a
// counter of what each refused (bounds.go, counter.go). Every packet costs the
// same, or a logarithm, however many jobs, functions, workers and connections
// there are; the exceptions are the commands that list things, and the end of a
// connection, whose jobs and functions are walked. What has been large gives its
// memory back, bit by bit (slabs.go, index.go).
package router
