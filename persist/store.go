package persist

import (
	"errors"
	"fmt"
)

// A Kind says what a [Change] does.
type Kind uint8

const (
	PutJob     Kind = iota // Job is to be kept
	DeleteJob              // the job ID, and all that was kept for it, is to go
	SetAttempt             // the kept job ID has now been tried Attempts times
	SetLimit               // Limit is to be kept; one without any limit is to go
)

// A Change is one thing that a store is to remember. Changes are idempotent:
// to carry one out twice is to carry it out once. A DeleteJob or SetAttempt of
// a job that is not kept does nothing.
type Change struct {
	Kind     Kind
	ID       JobID  // DeleteJob, SetAttempt
	Attempts uint32 // SetAttempt
	Job      *Job   // PutJob
	Limit    *Limit // SetLimit
}

// A Store keeps what must outlive the process. Its methods may be called from
// several goroutines, except that Load comes first and alone.
type Store interface {
	// Epoch is how often this store has been started, this start included; of
	// a copy of a store, a greater number. No two starts of one store, or of it
	// and its copies, have the same, whatever ended the first of them; but one
	// whose Load did not return nil, which has no jobs to number, need not count.
	Epoch() uint64

	// Load calls f with everything that is kept, each thing once: limits as
	// SetLimit, then jobs as PutJob in the order of their numbers, attempts
	// included. It is called once, before the first Commit. What a Change
	// points to is f's to keep. An error of f ends Load and is returned. When
	// Load returns nil, it is on stable storage that this start has been;
	// until all is read, and when that fails, nothing is written.
	Load(f func(Change) error) error

	// Commit keeps changes, in their order, and then calls done exactly once,
	// from a goroutine of the store; the dones of several Commits are called
	// in the order of the Commits. Commit does not wait for the disk. It may
	// gather what waits into one transaction, but never waits for more to
	// come. The slice and all that it points to stay unchanged and readable
	// until done is called. done is told
	//
	//   - nil: all changes are on stable storage;
	//   - a [*RefusedError]: the changes that it names were not kept, now or
	//     after a restart, and all the others are on stable storage;
	//   - any other error: nobody knows what is on stable storage. The store
	//     takes nothing more; the process is to say nothing about these
	//     changes to anybody and to end.
	//
	// After Close, done is told [ErrClosed].
	Commit(changes []Change, done func(error))

	// Payload reads the payload of a kept job. The bytes are the caller's. An
	// unknown job gives [ErrNotFound]; any other error is a fatal one, as in
	// Commit.
	Payload(id JobID) ([]byte, error)

	// Close lets go of the store's resources. It finishes what was given to
	// Commit before it, and so must not be called from a done; to leave it out
	// looks like a crash, which every store survives.
	Close() error
}

// Why a store refuses a change, or everything. Errors are matched by
// errors.Is.
var (
	ErrFull     = errors.New("no space left in the store")
	ErrTooLarge = errors.New("the job is too large for the store")
	ErrNotFound = errors.New("no such job in the store")
	ErrClosed   = errors.New("the store is closed")
)

// A RefusedError tells which changes of one Commit a store did not keep.
type RefusedError struct {
	Refused []Refusal // in rising order of Index
}

// A Refusal is one change that a store did not keep.
type Refusal struct {
	Index int   // into the slice given to Commit
	Err   error // ErrFull or ErrTooLarge, perhaps wrapped with its cause
}

func (e *RefusedError) Error() string {
	if len(e.Refused) == 0 {
		return "store: no changes refused"
	}
	return fmt.Sprintf("store: %d changes refused: %v", len(e.Refused), e.Refused[0].Err)
}

// Unwrap returns the cause of the first refusal.
func (e *RefusedError) Unwrap() error {
	if len(e.Refused) == 0 {
		return nil
	}
	return e.Refused[0].Err
}
