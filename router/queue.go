package router

// A jobList is a list of jobs. Each is in one at a time, that of its function
// and priority or that of its worker, so that it needs not know in which.
type jobList struct {
	first, last *job
	n           int
}

func (l *jobList) pushBack(j *job) {
	if j.prev = l.last; l.last == nil {
		l.first = j
	} else {
		l.last.next = j
	}
	l.last = j
	l.n++
}

// remove takes out a job that is in the list.
func (l *jobList) remove(j *job) {
	if j.prev == nil {
		l.first = j.next
	} else {
		j.prev.next = j.next
	}
	if j.next == nil {
		l.last = j.prev
	} else {
		j.next.prev = j.prev
	}
	j.next, j.prev = nil, nil
	l.n--
}

// all yields the jobs from first to last. The one that it is at may be taken
// out meanwhile.
func (l *jobList) all(yield func(*job) bool) {
	for j := l.first; j != nil; {
		next := j.next
		if !yield(j) {
			return
		}
		j = next
	}
}
