// Package router is the machine that decides which worker runs which job.
//
// # The machine
//
// A [Machine] takes events and yields data. The events are [Machine.Connect],
// [Machine.Step] (a packet or an admin line), [Machine.Disconnect],
// [Machine.Tick], [Machine.Committed] and [Machine.Fetched]; each comes with
// the time. After an event the caller takes what it has led to:
// [Machine.Sends] (bytes for connections), [Machine.Changes] (what the store is
// to keep), [Machine.Fetches] (payloads to be read back) and [Machine.Next]
// (when to tick). There is no goroutine, lock, socket, logger or clock inside,
// so that the same events give the same data, always.
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
// (work.go). Every packet costs the same, or a logarithm, however many jobs,
// functions, workers and connections there are; the exceptions are the
// commands that list things, and several functions that share one unique id,
// which are walked.
package router
