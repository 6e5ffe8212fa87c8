package judge

import (
	"fmt"
	"strings"
	"time"
)

// A Kind says what happened.
type Kind uint8

const (
	Started    Kind = iota // a server is about to answer: a life of its begins
	Died                   // it is dead: nothing that it was told can have an effect any more; Known: it has ended by itself, and stored all that was heard
	Fault                  // something was done to it; Note says what
	Submitting             // Job is about to be sent
	Created                // the submission Token was answered with Handle, at Called it was sent
	Refused                // it was answered with an ERROR; Note is the text
	Assigned               // Conn was given Handle, with the payload of Token, for a grab sent at Called
	Ending                 // Conn is about to say that Handle is completed or failed
	Heard                  // what Conn has said so far was read: a later request was answered
	Confirmed              // and the end of Handle is on stable storage
	Closed                 // Conn ended, or is about to; a grab of it sent at Called, if not zero, has no answer
	Seen                   // Handle was asked for at Called, and was Known and Running
	Cancelling             // an operator is about to cancel Handle
	Cancelled              // the answer to that: it was Known, and is cancelled now, or it was not; Note is the text
)

var kindNames = [...]string{"started", "died", "fault", "submitting", "created", "refused", "assigned",
	"ending", "heard", "confirmed", "closed", "seen", "cancelling", "cancelled"}

func (k Kind) String() string { return kindNames[k] }

// An Event is a line of the log.
type Event struct {
	At     time.Duration // since the book was opened
	Called time.Duration // when the request was sent that this is the answer to
	Kind   Kind
	Known  bool // Seen, Cancelled: the server knows the job; Died
	Busy   bool // Seen: it runs
	Life   int  // the server's, from 1
	Conn   int  // connections are numbered by Book.Conn, from 1; 0: none
	Token  string
	Handle string
	Note   string
	Lease  time.Duration // Assigned: how long Conn may keep the job; 0: as long as it lives
	Job    *Job          // Submitting
}

func (e Event) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%12v life %d: %s", e.At.Round(time.Microsecond), e.Life, e.Kind)
	if e.Conn > 0 {
		fmt.Fprintf(&b, " conn %d", e.Conn)
	}
	for _, s := range []string{e.Token, e.Handle, e.Note} {
		if s != "" {
			fmt.Fprintf(&b, " %s", s)
		}
	}
	if e.Called > 0 {
		fmt.Fprintf(&b, " (asked at %v)", e.Called.Round(time.Microsecond))
	}
	if e.Kind == Seen || e.Kind == Cancelled {
		fmt.Fprintf(&b, " known=%v running=%v", e.Known, e.Busy)
	}
	return b.String()
}
