// Package persist says what a durable job is and what a store promises.
//
// It knows neither the wire nor a disk: package router hands a [Store] the
// changes that must outlive the process, and a store (persist/bolt,
// persist/memory) keeps them. Package persist/persisttest is the suite that
// every store passes.
package persist

import (
	"fmt"
	"time"
)

// A JobID is a job's number. Epoch counts the starts of the store (see
// [Store.Epoch]) and Seq the jobs of one start, from 1, so that no number is
// ever given twice. Numbers order as jobs were submitted.
type JobID struct {
	Epoch uint64
	Seq   uint64
}

// IsZero reports whether id is the zero number, which no job has.
func (id JobID) IsZero() bool { return id == JobID{} }

// Compare returns -1, 0 or +1 as id was given before, is, or was given after b.
func (id JobID) Compare(b JobID) int {
	switch {
	case id == b:
		return 0
	case id.Epoch < b.Epoch, id.Epoch == b.Epoch && id.Seq < b.Seq:
		return -1
	}
	return +1
}

// String returns the number as it stands at the end of a handle: "epoch-seq".
func (id JobID) String() string { return fmt.Sprintf("%d-%d", id.Epoch, id.Seq) }

// Priority is the queue that a job waits in.
type Priority uint8

// The three priorities. Their values are part of the stored record.
const (
	High Priority = iota
	Normal
	Low
	Priorities = 3 // how many there are
)

// A Job is all that must come back after a restart for a background job to be
// the same job to its submitter and to its worker.
type Job struct {
	ID       JobID
	Prefix   string // the handle up to its last colon; the handle is Prefix:Epoch-Seq
	Function string
	Unique   string // the unique id as it was submitted: may be empty or "-"
	Reducer  string // SUBMIT_REDUCE_JOB_BACKGROUND: handed out by GRAB_JOB_ALL; HasReducer tells "" from none
	Payload  []byte
	Priority Priority
	Attempts uint32    // how often the job was taken from a worker that did not finish it
	Due      time.Time // not to run before (SUBMIT_JOB_EPOCH, SUBMIT_JOB_SCHED), to the millisecond; zero: at once

	HasReducer bool
}

// A Limit is what operators have set for a function by the admin commands
// "maxqueue" and "maxqueuebytes". 0 means no limit.
type Limit struct {
	Function string
	Max      [Priorities]uint32 // jobs that it may hold before a submission of that priority is refused
	Bytes    int64              // of payloads that it may hold
}

// IsZero reports whether l limits nothing.
func (l Limit) IsZero() bool { return l.Max == [Priorities]uint32{} && l.Bytes == 0 }
