package clients

// Replies are what a server owes: it answers in the order in which it was
// asked, and nothing but that order tells what an answer belongs to. A call
// that nobody waits for any more keeps its place, or its answer would be taken
// for that of the next.
type replies struct {
	owed []*call // nil: nobody waits for it
	next int     // the first that is owed
	base uint64  // the number of owed[0] among all replies ever
}

// push adds a reply and returns its number.
func (r *replies) push(k *call) uint64 {
	if r.next > 64 && r.next > len(r.owed)/2 {
		n := copy(r.owed, r.owed[r.next:])
		clear(r.owed[n:])
		r.owed = r.owed[:n]
		r.base += uint64(r.next)
		r.next = 0
	}
	r.owed = append(r.owed, k)
	return r.base + uint64(len(r.owed)-1)
}

// pop takes the reply that comes next; ok is false when none is owed.
func (r *replies) pop() (k *call, ok bool) {
	if r.next == len(r.owed) {
		return nil, false
	}
	k = r.owed[r.next]
	r.owed[r.next] = nil
	if r.next++; r.next == len(r.owed) {
		r.base += uint64(r.next)
		r.owed, r.next = r.owed[:0], 0
	}
	return k, true
}

// forget lets nobody wait for a reply that is owed. It leaves a ghost where the
// job that the reply tells of may be shared with other calls.
func (r *replies) forget(number uint64, shared bool) {
	r.owed[number-r.base] = nil
	if shared {
		r.owed[number-r.base] = ghost
	}
}

// The ghost stands for a call that was given up before the server answered it.
// The server will send it reports about the job, one copy as for any other.
var ghost = new(call)
