package clients

// An audience is the calls on one connection that wait for one job: usually
// one, more where they share a unique id. The server sends each report about
// the job once for each of them. Which copy goes to whom does not matter as
// long as each gets one, so they take turns. A call that was given up keeps its
// turn, or the others would hear things twice.
type audience struct {
	first  *call   // nil: given up
	others []*call // likewise
	turn   int
}

func (a *audience) size() int { return 1 + len(a.others) }

func (a *audience) at(i int) **call {
	if i == 0 {
		return &a.first
	}
	return &a.others[i-1]
}

// next returns the call whose turn it is, or nil.
func (a *audience) next() *call {
	k := *a.at(a.turn)
	a.turn = (a.turn + 1) % a.size()
	return k
}

// all yields the calls that were not given up.
func (a *audience) all(yield func(*call) bool) {
	for i := range a.size() {
		if k := *a.at(i); k != nil && !yield(k) {
			return
		}
	}
}

// giveUp makes k's turn nobody's.
func (a *audience) giveUp(k *call) {
	for i := range a.size() {
		if *a.at(i) == k {
			*a.at(i) = nil
		}
	}
}

// mayJoin reports whether other calls can come to share k's job.
func (k *call) mayJoin() bool { return k.opts.unique != "" && !k.background }
