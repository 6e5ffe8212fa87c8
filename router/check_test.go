package router

import (
	"fmt"

	"gearbolt/persist"
)

// check looks at the whole machine and reports the first thing in it that
// contradicts another. It knows nothing of what should have happened, only
// that all that is kept twice must agree.
func (m *Machine) check() error {
	for _, look := range []func() error{
		m.checkLists, m.checkJobs, m.checkFunctions, m.checkReady, m.checkUniques,
		m.checkConns, m.checkWorkers, m.checkWoken, m.checkDeadlines, m.checkBatches, m.checkMemory,
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

func (m *Machine) checkLists() error {
	errs := []error{sound("conns", &m.conns)}
	for c := range m.conns.all {
		errs = append(errs, sound("listening", &c.listening), sound("turns", &c.turns), sound("awake", &c.awake), sound("holding", &c.holding))
	}
	for _, fn := range m.functions {
		errs = append(errs, sound("sleepers", &fn.sleepers), sound("woken", &fn.woken))
		for p := range fn.queues {
			errs = append(errs, sound("queue", &fn.queues[p]))
		}
	}
	for _, j := range m.jobs {
		errs = append(errs, sound("listeners", &j.listeners))
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
	runs := 0
	for id, j := range m.jobs {
		if id != j.ID || m.functions[j.fn.name] != j.fn || j.Function != j.fn.name {
			return fmt.Errorf("job %v is filed as %v of %q", j.ID, id, j.fn.name)
		}
		if j.state == running {
			runs++
		}
		if err := m.checkJob(j); err != nil {
			return fmt.Errorf("job %v: %w", id, err)
		}
	}
	if runs != m.running {
		return fmt.Errorf("%d jobs run, but running is %d", runs, m.running)
	}
	return nil
}

func (m *Machine) checkJob(j *job) error {
	inPlace := map[jobState]bool{
		pending: j.place.in == nil && j.background && j.put != nil,
		delayed: j.place.in == nil && j.background && j.timer != nil,
		queued:  j.place.in == &j.fn.queues[j.Priority] && j.timer == nil,
		running: j.worker != nil && j.place.in == &j.worker.holding && !j.worker.gone,
	}
	switch {
	case !inPlace[j.state]:
		return fmt.Errorf("in state %d it is out of place", j.state)
	case j.state != running && j.worker != nil:
		return fmt.Errorf("it does not run but has a worker")
	case j.timer != nil && j.timer.index == 0:
		return fmt.Errorf("its timer is not set")
	case j.background != j.kept:
		return fmt.Errorf("background is %v but kept %v", j.background, j.kept)
	case !j.background && j.listeners.n == 0 && j.state != running:
		return fmt.Errorf("nobody wants it")
	case j.onlyStored && (j.Payload != nil || j.put != nil):
		return fmt.Errorf("its payload is only in the store, and also here")
	case !j.onlyStored && len(j.Payload) != j.size:
		return fmt.Errorf("its payload has %d bytes, not %d", len(j.Payload), j.size)
	case j.put != nil && (j.put != m.gathering && j.put != m.committing || j.put.jobs[j.putAt] != j):
		return fmt.Errorf("the batch that stores it does not know it")
	}
	for l := range j.listeners.all {
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
	}
	want := make(map[*function]counts)
	for _, j := range m.jobs {
		n := want[j.fn]
		n.total++
		if j.state == running {
			n.run++
		} else {
			n.waits[j.Priority]++
		}
		want[j.fn] = n
	}
	for c := range m.conns.all {
		for fn, a := range c.abilities {
			n := want[fn]
			n.workers += a.times
			want[fn] = n
		}
	}
	for name, fn := range m.functions {
		if got := (counts{fn.total, fn.run, fn.workers, fn.waits}); got != want[fn] || fn.name != name {
			return fmt.Errorf("function %q has %+v, but its counts are %+v", name, want[fn], got)
		}
		if fn.limit != m.limits.now[name].Max {
			return fmt.Errorf("function %q has the limit %v, not %v", name, fn.limit, m.limits.now[name].Max)
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
	n := 0
	for key, first := range m.uniques {
		if first.younger != nil {
			return fmt.Errorf("unique %q does not begin with its youngest job", key)
		}
		for j := first; j != nil; j = j.older {
			if n++; m.jobs[j.ID] != j || j.key != key || j.older != nil && j.older.younger != j {
				return fmt.Errorf("unique %q: job %v is out of place", key, j.ID)
			}
		}
	}
	for _, j := range m.jobs {
		if j.key != "" {
			n--
		}
	}
	if n != 0 {
		return fmt.Errorf("%+d jobs more have a place among the uniques than have a unique", n)
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
		for i, j := range b.jobs {
			if (j != nil) != (b.changes[i].Kind == persist.PutJob) || j != nil && (j.put != b || j.putAt != i) {
				return fmt.Errorf("change %d of a batch does not belong to its job", i)
			}
		}
	}
	if (len(m.owed) > 0) != (m.owedTimer.index > 0) {
		return fmt.Errorf("%d deletes are owed, and the timer for them is at %d", len(m.owed), m.owedTimer.index)
	}
	return nil
}
