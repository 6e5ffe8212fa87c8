package judge

// apply adds an event to the log and draws its consequences. What breaks an
// invariant by itself is noted at once.
func (b *Book) apply(e Event) {
	if e.Kind == Started {
		b.life++
		b.dead = false
	}
	if e.Life = b.life; e.Conn > 0 {
		e.Life = b.conns[e.Conn-1].life
	}
	b.events = append(b.events, e)
	switch e.Kind {
	case Died:
		b.dead, b.inPeace[b.life] = true, e.Known
	case Submitting:
		b.submitting(e)
	case Created:
		b.created(e)
	case Refused:
		b.refused(e)
	case Assigned:
		b.assigned(e)
	case Heard, Closed:
		b.connEvent(e)
	case Ending, Confirmed, Seen, Cancelling, Cancelled:
		b.jobEvent(e)
	}
}

// submitting is a job that is about to be sent, or, to join itself, sent again.
func (b *Book) submitting(e Event) {
	if b.submissions[e.Job.Token] == nil {
		b.submissions[e.Job.Token] = &submission{Job: e.Job}
		b.unanswered++
	}
}

// entry is what is known by a handle.
func (b *Book) entry(handle string) *entry {
	x := b.entries[handle]
	if x == nil {
		x = &entry{handle: handle}
		b.entries[handle] = x
	}
	return x
}

// note adds the event that was logged last to a job's history.
func (b *Book) note(x *entry) { x.events = append(x.events, len(b.events)-1) }

// name notes that a submission has a handle.
func (b *Book) name(s *submission, x *entry) {
	switch {
	case s.handle == x.handle:
		return
	case s.handle != "":
		b.violate(I3NoPhantom, x, "%s is called %s and %s", s.Token, s.handle, x.handle)
		return
	case x.job != nil && !x.job.joins(s.Job):
		b.violate(I3NoPhantom, x, "%s stands for %s and for %s", x.handle, x.job.Token, s.Token)
	case s.refused != "":
		b.violate(I3NoPhantom, x, "%s was refused (%s), and is called %s", s.Token, s.refused, x.handle)
	default:
		b.unanswered--
	}
	s.handle = x.handle
	if x.job == nil {
		x.job = s
	}
}

// created is JOB_CREATED.
func (b *Book) created(e Event) {
	x, s := b.entry(e.Handle), b.submissions[e.Token]
	b.note(x)
	if s == nil {
		b.violate(I3NoPhantom, x, "%s was answered, and nobody submitted it", e.Token)
		return
	}
	b.name(s, x)
	if b.endedBefore(x, e.Called, e.Life) {
		b.violate(I4SingleCompletion, x, "%s was given to %s after its end was taken", x.handle, s.Token)
	}
	if s.Background() {
		b.acked++
		if x.acked = true; !x.gone() {
			b.open[x] = true
		}
	}
}

// refused is an ERROR in place of JOB_CREATED.
func (b *Book) refused(e Event) {
	s := b.submissions[e.Token]
	switch {
	case s == nil:
	case s.handle != "":
		b.violate(I3NoPhantom, b.entries[s.handle], "%s was refused (%s), and is called %s", s.Token, e.Note, s.handle)
	default:
		s.refused = e.Note
		b.unanswered--
	}
}

// assigned is JOB_ASSIGN*.
func (b *Book) assigned(e Event) {
	s := b.submissions[e.Token]
	x := b.entry(e.Handle)
	b.note(x)
	if s == nil {
		b.violate(I3NoPhantom, x, "%s came with a payload that nobody submitted: %.100q", e.Handle, e.Note)
		return
	}
	b.identify(s, x)
	if e.Note != "" {
		b.violate(I3NoPhantom, x, "%s came otherwise than it was submitted: %s", s.Token, e.Note)
	}
	if due := b.At(s.Due); !s.Due.IsZero() && e.At < due {
		b.violate(I3NoPhantom, x, "%s came %v before its time", s.Token, due-e.At)
	}
	b.repeated(x, e)
	x.hold(e)
}

// identify notes whose payload a job has.
func (b *Book) identify(s *submission, x *entry) {
	if b.name(s, x); x.job == nil {
		x.job = s
	}
	if x.owner == nil {
		x.owner = s
	} else if x.owner != s {
		b.violate(I3NoPhantom, x, "%s has the payload of %s and of %s", x.handle, x.owner.Token, s.Token)
	}
	x.job = s
}

// repeated judges whether a job may be assigned now.
func (b *Book) repeated(x *entry, e Event) {
	switch {
	case x.end == confirmed:
		b.violate(I4SingleCompletion, x, "%s came again although its end is on stable storage", x.handle)
	case x.cancelled > 0 && x.cancelled < e.Called:
		b.violate(I4SingleCompletion, x, "%s came again although it is cancelled", x.handle)
	case x.end == heard && (x.endLife == e.Life || b.inPeace[x.endLife]):
		b.violate(I4SingleCompletion, x, "%s came again although its end was taken", x.handle)
	case x.holder == 0 || x.heldLife != e.Life || b.conns[x.holder-1].closed || x.leaseOver(e.At):
		if x.end != none {
			b.again++
		}
	default:
		b.violate(I2BoundedRepetition, x, "%s came again although connection %d has it", x.handle, x.holder)
	}
	if x.holder != 0 {
		x.losses++
	}
}

// connEvent is what a connection learns of all that it has said.
func (b *Book) connEvent(e Event) {
	c := &b.conns[e.Conn-1]
	if e.Kind == Closed {
		c.closed = true
		return
	}
	for _, x := range c.said {
		if x.end == said && x.endConn == e.Conn {
			x.end, x.endAt = heard, e.At
			b.note(x)
		}
	}
	c.said = c.said[:0]
}

// jobEvent is what is said and heard of one job by its handle.
func (b *Book) jobEvent(e Event) {
	x := b.entry(e.Handle)
	b.note(x)
	switch e.Kind {
	case Ending:
		b.ending(x, e)
	case Confirmed:
		if x.end != none && x.endConn == e.Conn {
			if x.end == said {
				x.endAt = e.At
			}
			x.end = confirmed
			delete(b.open, x)
		}
	case Seen:
		b.seen(x, e)
	case Cancelling:
		x.cancels++
		x.doubt(e.Life)
	case Cancelled:
		b.cancelled(x, e)
	}
}

// ending is a worker that says that a job is done. Who does not hold it, or may
// not any more, has said a late word.
func (b *Book) ending(x *entry, e Event) {
	if x.holder != e.Conn {
		x.late = true
		return
	}
	b.ended++
	x.doubt(e.Life)
	if x.leaseOver(e.At) {
		x.overdue = true
		return
	}
	x.end, x.endConn, x.endLife, x.endAt = said, e.Conn, e.Life, e.At
	c := &b.conns[e.Conn-1]
	c.said = append(c.said, x)
}

// seen is an answer to GET_STATUS.
func (b *Book) seen(x *entry, e Event) {
	switch {
	case e.Known && b.endedBefore(x, e.Called, e.Life):
		b.violate(I4SingleCompletion, x, "%s is known although its end was taken", x.handle)
	case !e.Known && x.acked && !x.mayBeGone(b.Retries):
		b.violate(I1NoLoss, x, "%s was acknowledged and is not known", x.handle)
		delete(b.open, x)
	case e.Known:
		x.there(e.Life)
	}
}

// cancelled is the answer to "cancel job".
func (b *Book) cancelled(x *entry, e Event) {
	x.cancels--
	switch {
	case e.Known:
		x.cancelled = e.At
		delete(b.open, x)
	case x.acked && !x.mayBeGone(b.Retries):
		b.violate(I1NoLoss, x, "%s was acknowledged and could not be cancelled: %s", x.handle, e.Note)
	}
}
