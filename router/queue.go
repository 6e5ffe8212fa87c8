package router

import "iter"

// A jobList is a list of jobs. Each is in one at a time, that of its function
// and priority or that of its worker, so that it needs not know in which.
type jobList struct {
	first, last jobRef
	n           int
}

func (t *jobs) pushBack(l *jobList, j *job) {
	if j.prev = l.last; l.last == 0 {
		l.first = j.ref
	} else {
		t.at(l.last).next = j.ref
	}
	l.last = j.ref
	l.n++
}

// remove takes out a job that is in the list.
func (t *jobs) remove(l *jobList, j *job) {
	if j.prev == 0 {
		l.first = j.next
	} else {
		t.at(j.prev).next = j.next
	}
	if j.next == 0 {
		l.last = j.prev
	} else {
		t.at(j.next).prev = j.prev
	}
	j.next, j.prev = 0, 0
	l.n--
}

// all yields the jobs from first to last. The one that it is at may be taken
// out, and dropped, meanwhile.
func (t *jobs) all(l *jobList) iter.Seq[*job] {
	return func(yield func(*job) bool) {
		for ref := l.first; ref != 0; {
			j := t.at(ref)
			ref = j.next
			if !yield(j) {
				return
			}
		}
	}
}
