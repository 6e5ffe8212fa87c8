package router

import (
	"bytes"
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
		m.checkConns, m.checkWorkers, m.checkSleepers, m.checkWoken, m.checkDeadlines, m.checkBatches, m.checkMemory, m.checkBytes,
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
func soundJobs(what string, l *jobList) error {
	n := 0
	var before *job
	for j := l.first; j != nil; before, j = j, j.next {
		if n++; j.prev != before || n > l.n {
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
		errs = append(errs, sound("listening", &c.listening), m.soundChain("turns", &c.turns, byTurn), m.soundChain("awake", &c.awake, bySleep), soundJobs("holding", &c.holding))
	}
	for _, fn := range m.functions {
		errs = append(errs, m.soundChain("sleepers", &fn.sleepers, bySleep), sound("woken", &fn.woken))
		for p := range fn.queues {
			errs = append(errs, soundJobs("queue", &fn.queues[p]))
		}
	}
	for j := range m.jobs.sorted {
		if j.ties != nil {
			errs = append(errs, sound("listeners", &j.ties.listeners))
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
		if m.jobs.get(j.id()) != j || m.functions[j.fn.name] != j.fn {
			return fmt.Errorf("job %v of %q is not found", j.id(), j.fn.name)
		}
		if j.state == running {
			runs++
		}
		if err := m.checkJob(j); err != nil {
			return fmt.Errorf("job %v: %w", j.id(), err)
		}
	}
	if runs != m.running || n != m.jobs.n {
		return fmt.Errorf("of %d jobs %d run, but running is %d of %d", n, runs, m.running, m.jobs.n)
	}
	return m.checkPlaces()
}

// checkPlaces holds the lists that jobs are in against the jobs' states.
func (m *Machine) checkPlaces() error {
	places := 0
	for _, fn := range m.functions {
		for p := range fn.queues {
			for j := range fn.queues[p].all {
				if places++; j.state != queued || j.fn != fn || int(j.priority) != p {
					return fmt.Errorf("job %v is in a queue of %q that it does not belong to", j.id(), fn.name)
				}
			}
		}
	}
	for c := range m.conns.all {
		for j := range c.holding.all {
			if places++; j.state != running || j.worker() != c {
				return fmt.Errorf("connection %d holds job %v, which does not run there", c.number, j.id())
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
	alone := j.next == nil && j.prev == nil
	inPlace := map[jobState]bool{
		pending: alone && j.background && j.put != 0 && !j.timed(),
		delayed: alone && j.background && j.timed(),
		queued:  !j.timed(),
		running: j.worker() != nil && !j.worker().gone,
	}
	switch {
	case !inPlace[j.state]:
		return fmt.Errorf("in state %d it is out of place", j.state)
	case j.state != running && j.worker() != nil:
		return fmt.Errorf("it does not run but has a worker")
	case j.ties != nil && j.audience() == 0 && j.worker() == nil && j.ties.due.IsZero():
		return fmt.Errorf("it has no ties, and memory for them")
	case !j.background && j.audience() == 0 && j.state != running:
		return fmt.Errorf("nobody wants it")
	case j.onlyStored && (len(j.payload()) > 0 || j.put != 0 || !j.background):
		return fmt.Errorf("its payload is only in the store, and also here")
	case !j.onlyStored && len(j.payload()) != int(j.size):
		return fmt.Errorf("its payload has %d bytes, not %d", len(j.payload()), j.size)
	case j.put != 0 && (m.putOf(j) == nil || !slices.Contains(m.putOf(j).jobs, j)):
		return fmt.Errorf("the batch that stores it does not know it")
	}
	for l := range j.listeners {
		if l.job != j || l.conn.gone || l.ofConn.in != &l.conn.listening {
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
		n := want[j.fn]
		n.total++
		n.bytes += int64(j.size)
		if j.state == running {
			n.run++
		} else {
			n.waits[j.priority]++
		}
		want[j.fn] = n
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

func (m *Machine) checkUniques() error {
	claims, known := 0, 0
	for j := range m.jobs.sorted {
		c := j.claim
		if c == nil {
			continue
		}
		if c.job != j || !slices.Contains(slices.Collect(m.uniques.claims.with(m.uniques.hashOf(j.fn, c.key()))), c) {
			return fmt.Errorf("job %v is not found by its unique id", j.id())
		}
		if claims++; c.known {
			known++
		}
		if c.known != (j.state != pending && !j.dash()) {
			return fmt.Errorf("job %v in state %d with unique id %q: known is %v", j.id(), j.state, j.unique(), c.known)
		}
	}
	for first := range m.uniques.ids.all {
		if first.younger != nil {
			return fmt.Errorf("unique %q does not begin with its youngest job", first.job.unique())
		}
		for c := first; c != nil; c = c.older {
			if known--; c.job.claim != c || !bytes.Equal(c.job.unique(), first.job.unique()) || c.older != nil && c.older.younger != c {
				return fmt.Errorf("unique %q: job %v is out of place", first.job.unique(), c.job.id())
			}
		}
	}
	if claims != m.uniques.claims.n || known != 0 {
		return fmt.Errorf("%d jobs have a unique, %d have a place, and %+d of these an odd one", claims, m.uniques.claims.n, known)
	}
	return nil
}

// key is what the claim is to.
func (c *claim) key() []byte {
	if c.digest != "" {
		return []byte(c.digest)
	}
	return c.job.unique()
}

func (m *Machine) checkBatches() error {
	for _, b := range []*batch{m.gathering, m.committing} {
		if b == nil {
			continue
		}
		if len(b.changes) != len(b.jobs) {
			return fmt.Errorf("a batch of %d changes with %d jobs", len(b.changes), len(b.jobs))
		}
		for i, j := range b.jobs {
			if (j != nil) != (b.changes[i].Kind == persist.PutJob) || j != nil && j.put != b.number {
				return fmt.Errorf("change %d of a batch does not belong to its job", i)
			}
		}
	}
	if (len(m.owed) > 0) != (m.owedTimer.index > 0) {
		return fmt.Errorf("%d deletes are owed, and the timer for them is at %d", len(m.owed), m.owedTimer.index)
	}
	return nil
}
