package judge

import "time"

// A degree is how far the end of a job is known; the package comment says what
// they mean.
type degree uint8

const (
	none degree = iota
	said
	heard
	confirmed
)

// An entry is what is known of a job.
type entry struct {
	handle string
	job    *submission // whose payload it has, or else the first that was told the handle
	owner  *submission // whose payload it has, where that is known
	events []int       // places in the log
	acked  bool        // a background submission was told the handle

	// Who has it, or had it last.
	holder   int // connection; 0: nobody
	heldLife int
	heldFrom time.Duration // when the grab was sent
	lease    time.Duration
	losses   int // how often it was taken from a worker, as far as is known

	// How it ended.
	end       degree
	endConn   int
	endLife   int
	endAt     time.Duration // said, or heard
	late      bool          // somebody who does not hold it has said that it is done
	overdue   bool          // somebody has, whose lease may have been over
	cancels   int           // operators who had no answer yet
	cancelled time.Duration // an operator was told so; 0: none was
	doubtful  int           // the last life in which its end was said, or a cancel asked for
	seen      int           // the last life in which it was there
	vanished  bool          // it was looked for after a restart, and not there
}

// hold notes that a connection has the job.
func (x *entry) hold(e Event) {
	x.holder, x.heldLife, x.heldFrom, x.lease = e.Conn, e.Life, e.Called, e.Lease
	x.end, x.overdue = none, false
	x.there(e.Life)
}

// there notes that the job is there in some life of the server.
func (x *entry) there(life int) { x.seen = max(x.seen, life) }

// doubt notes that somebody is about to end the job in some life of the server.
func (x *entry) doubt(life int) { x.doubtful = max(x.doubtful, life) }

// inDoubt reports whether somebody has perhaps ended the job. What was said in
// one life has not, if the job is there in a later one.
func (x *entry) inDoubt() bool {
	return x.doubtful >= x.seen && (x.end != none || x.overdue || x.cancels > 0)
}

// leaseOver reports whether the holder's time may be up.
func (x *entry) leaseOver(now time.Duration) bool { return x.lease > 0 && now >= x.heldFrom+x.lease }

// gone reports whether the job is known not to come back.
func (x *entry) gone() bool { return x.end == confirmed || x.cancelled > 0 || x.vanished }

// mayBeGone reports whether somebody had the right to end the job and perhaps
// has.
func (x *entry) mayBeGone(retries int) bool {
	losses := x.losses
	if x.holder != 0 {
		losses++ // by the last one
	}
	return x.gone() || x.inDoubt() || retries > 0 && losses >= retries
}
