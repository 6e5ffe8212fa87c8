package router

import (
	"fmt"
	"slices"

	"gearbolt/persist"
)

// check looks at the whole machine and reports the first thing in it that
// contradicts another. It knows nothing of what should have happened, only
// that all that is kept twice must agree.
func (m *Machine) check() error {
	for _, look := range []func() error{
		m.checkLists, m.checkJobs, m.checkFunctions, m.checkReady, m.checkUniques,
		m.checkConns, m.checkWorkers, m.checkSleepers, m.checkWoken, m.checkDeadlines, m.checkBatches, m.checkMemory, m.checkBytes, m.checkSlabs,
	} {
		if err := look(); err != nil {
			return err
		}
	}
	return nil
}

// sound walks a list in both directions.
func sound[T any](what string, l *list[T]) error {
	n := 0
	var before *link[T]
	for k := l.first; k != nil; before, k = k, k.next {
		if n++; k.in != l || k.prev != before || n > l.n {
			return fmt.Errorf("%s: element %d is not where it says", what, n)
		}
	}
	if n != l.n || l.last != before {
		return fmt.Errorf("%s: %d elements, but n is %d", what, n, l.n)
	}
	return nil
}

// soundJobs walks a list of jobs in both directions.
func (m *Machine) soundJobs(what string, l *jobList) error {
	n := 0
	var before jobRef
	for ref := l.first; ref != 0; before, ref = ref, m.jobs.at(ref).next {
		if n++; m.jobs.at(ref).prev != before || n > l.n {
			return fmt.Errorf("%s: job %d is not where it says", what, n)
		}
	}
	if n != l.n || l.last != before {
		return fmt.Errorf("%s: %d jobs, but n is %d", what, n, l.n)
	}
	return nil
}

func (m *Machine) checkLists() error {
	errs := []error{sound("conns", &m.conns)}
	for c := range m.conns.all {
		errs = append(errs, sound("listening", &c.listening), m.soundChain("turns", &c.turns, byTurn), m.soundChain("awake", &c.awake, bySleep), m.soundJobs("holding", &c.holding))
	}
	for _, fn := range m.functions {
		errs = append(errs, m.soundChain("sleepers", &fn.sleepers, bySleep), sound("woken", &fn.woken))
		for p := range fn.queues {
			errs = append(errs, m.soundJobs("queue", &fn.queues[p]))
		}
	}
	for j := range m.jobs.sorted {
		if j.ties != 0 {
			errs = append(errs, sound("listeners", &m.ties.at(j.ties).listeners))
		}
	}
	return firstOf(errs)
}

func firstOf(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *Machine) checkJobs() error {
	runs, n := 0, 0
	for j := range m.jobs.sorted {
		n++
		if fn := m.functionOf(j); m.jobs.of(m.jobs.id(j)) != j || m.jobs.at(j.ref) != j || m.functions[fn.name] != fn {
			return fmt.Errorf("job %v of %q is not found", m.jobs.id(j), fn.name)
		}
		if j.state == running {
			runs++
		}
		if err := m.checkJob(j); err != nil {
			return fmt.Errorf("job %v: %w", m.jobs.id(j), err)
		}
	}
	if runs != m.running || n != m.jobs.numbers.n {
		return fmt.Errorf("of %d jobs %d run, but running is %d of %d", n, runs, m.running, m.jobs.numbers.n)
	}
	return m.checkPlaces()
}

// checkPlaces holds the lists that jobs are in against the jobs' states.
func (m *Machine) checkPlaces() error {
	places := 0
	for _, fn := range m.functions {
		for p := range fn.queues {
			for j := range m.jobs.all(&fn.queues[p]) {
				if places++; j.state != queued || m.functionOf(j) != fn || int(j.priority) != p {
					return fmt.Errorf("job %v is in a queue of %q that it does not belong to", m.jobs.id(j), fn.name)
				}
			}
		}
	}
	for c := range m.conns.all {
		for j := range m.jobs.all(&c.holding) {
			if places++; j.state != running || m.workerOf(j) != c {
				return fmt.Errorf("connection %d holds job %v, which does not run there", c.number, m.jobs.id(j))
			}
		}
	}
	for j := range m.jobs.sorted {
		if j.state == queued || j.state == running {
			places--
		}
	}
	if places != 0 {
		return fmt.Errorf("%+d jobs more are in lists than are queued or run", places)
	}
	return nil
}

func (m *Machine) checkJob(j *job) error {
	alone := j.next == 0 && j.prev == 0
	inPlace := map[jobState]bool{
		pending: alone && j.background && j.put != 0 && !m.timed(j),
		delayed: alone && j.background && m.timed(j),
		queued:  !m.timed(j),
		running: m.workerOf(j) != nil && !m.workerOf(j).gone,
	}
	switch {
	case !inPlace[j.state]:
		return fmt.Errorf("in state %d it is out of place", j.state)
	case j.state != running && m.workerOf(j) != nil:
		return fmt.Errorf("it does not run but has a worker")
	case j.ties != 0 && m.audience(j) == 0 && m.workerOf(j) == nil && m.ties.at(j.ties).due.IsZero():
		return fmt.Errorf("it has no ties, and memory for them")
	case !j.background && m.audience(j) == 0 && j.state != running:
		return fmt.Errorf("nobody wants it")
	case j.onlyStored && (len(j.payload()) > 0 || j.put != 0 || !j.background):
		return fmt.Errorf("its payload is only in the store, and also here")
	case !j.onlyStored && len(j.payload()) != int(j.size):
		return fmt.Errorf("its payload has %d bytes, not %d", len(j.payload()), j.size)
	case j.put != 0 && (m.putOf(j) == nil || !slices.Contains(m.putOf(j).jobs, j.ref)):
		return fmt.Errorf("the batch that stores it does not know it")
	}
	for l := range m.listeners(j).all {
		if l.job != j.ref || l.conn.gone || l.ofConn.in != &l.conn.listening {
			return fmt.Errorf("a listener is out of place")
		}
	}
	return nil
}

func (m *Machine) checkFunctions() error {
	type counts struct {
		total, run, workers int
		waits               [persist.Priorities]int
		bytes               int64
	}
	want := make(map[*function]counts)
	for j := range m.jobs.sorted {
		n := want[m.functionOf(j)]
		n.total++
		n.bytes += int64(j.size)
		if j.state == running {
			n.run++
		} else {
			n.waits[j.priority]++
		}
		want[m.functionOf(j)] = n
	}
	for c := range m.conns.all {
		for at, ref := range c.abilities {
			fn := m.functionAt.at[at]
			n := want[fn]
			n.workers += m.abilities.at(ref).times
			want[fn] = n
		}
	}
	for name, fn := range m.functions {
		if got := (counts{fn.total, fn.run, fn.workers, fn.waits, fn.bytes}); got != want[fn] || fn.name != name {
			return fmt.Errorf("function %q has %+v, but its counts are %+v", name, want[fn], got)
		}
		if l := m.limits.now[name]; fn.limit != l.Max || fn.maxBytes != l.Bytes {
			return fmt.Errorf("function %q has the limits %v and %d, not %v", name, fn.limit, fn.maxBytes, l)
		}
		delete(want, fn)
	}
	if len(want) > 0 {
		return fmt.Errorf("%d functions in use are not known", len(want))
	}
	return nil
}

func (m *Machine) checkReady() error {
	for p := range m.ready {
		for i, fn := range m.ready[p] {
			if fn.readyAt[p] != i+1 || fn.queues[p].n == 0 {
				return fmt.Errorf("function %q is out of place in ready[%d]", fn.name, p)
			}
		}
	}
	for name, fn := range m.functions {
		for p := range fn.queues {
			if (fn.readyAt[p] > 0) != (fn.queues[p].n > 0) {
				return fmt.Errorf("function %q with %d jobs of priority %d has readyAt %d", name, fn.queues[p].n, p, fn.readyAt[p])
			}
		}
	}
	return nil
}

func (m *Machine) checkBatches() error {
	for _, b := range []*batch{m.gathering, m.committing} {
		if b == nil {
			continue
		}
		if len(b.changes) != len(b.jobs) {
			return fmt.Errorf("a batch of %d changes with %d jobs", len(b.changes), len(b.jobs))
		}
		for i, job := range b.jobs {
			if (job != 0) != (b.changes[i].Kind == persist.PutJob) || job != 0 && m.jobs.at(job).put != b.number {
				return fmt.Errorf("change %d of a batch does not belong to its job", i)
			}
		}
	}
	if (len(m.owed) > 0) != (m.owedTimer.index > 0) {
		return fmt.Errorf("%d deletes are owed, and the timer for them is at %d", len(m.owed), m.owedTimer.index)
	}
	return nil
}
