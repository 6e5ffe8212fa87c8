package router

import (
	"iter"
	"slices"
	"strconv"
	"strings"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// The admin commands that list things: sorted, where gearmand's order is that
// of its hash tables, and ended by a line with a dot.

// listing answers with one line or more for each of all.
func listing[T any](m *Machine, c *Conn, all []T, appendLine func([]byte, T) []byte) {
	listingEach(m, c, slices.Values(all), appendLine)
}

// listingEach is listing without a slice of all.
func listingEach[T any](m *Machine, c *Conn, all iter.Seq[T], appendLine func([]byte, T) []byte) {
	start := len(m.arena)
	for x := range all {
		m.arena = appendLine(m.arena, x)
	}
	m.arena = append(m.arena, ".\n"...)
	m.say(c, start, nil)
}

// adminStatus is "status": name, jobs, of these running, workers.
func (m *Machine) adminStatus(c *Conn) {
	listing(m, c, m.sortedFunctions(), func(b []byte, fn *function) []byte {
		return appendRow(append(b, cut(fn.name)...), fn.total, fn.run, fn.workers)
	})
}

// adminPriorityStatus is "prioritystatus": name, jobs by priority that do not
// run, workers.
func (m *Machine) adminPriorityStatus(c *Conn) {
	listing(m, c, m.sortedFunctions(), func(b []byte, fn *function) []byte {
		n := &fn.waits
		return appendRow(append(b, cut(fn.name)...), n[persist.High], n[persist.Normal], n[persist.Low], fn.workers)
	})
}

// appendRow appends numbers behind tabs, and a line feed.
func appendRow(b []byte, numbers ...int) []byte {
	for _, n := range numbers {
		b = strconv.AppendInt(append(b, '\t'), int64(n), 10)
	}
	return append(b, '\n')
}

// cut is a name as gearmand's C shows it, up to a NUL.
func cut(name string) string {
	name, _, _ = strings.Cut(name, "\x00")
	return name
}

// adminWorkers is "workers": every connection with its number, where gearmand
// has the file descriptor, its address, its id and its functions.
func (m *Machine) adminWorkers(c *Conn) {
	listingEach(m, c, m.conns.all, func(b []byte, x *Conn) []byte {
		b = strconv.AppendUint(b, x.number, 10)
		b = append(append(b, ' '), x.peer.Addr...)
		b = append(append(b, ' '), x.id...)
		b = append(b, " :"...)
		for a := range m.newestFirst(x) {
			b = append(append(b, ' '), cut(m.functionAt.at[a.fn].name)...)
		}
		return append(b, '\n')
	})
}

// newestFirst yields a connection's abilities as they were registered, the
// newest first, and as often.
func (m *Machine) newestFirst(c *Conn) iter.Seq[*ability] {
	all := slices.Collect(m.abilities.all(&c.turns, byTurn))
	slices.SortFunc(all, func(a, b *ability) int { return int(b.since - a.since) })
	return func(yield func(*ability) bool) {
		for _, a := range all {
			for range a.times {
				if !yield(a) {
					return
				}
			}
		}
	}
}

// adminShow is "show jobs", "show unique jobs" and our own "show maxqueue",
// "show maxqueuebytes" and "show limits".
func (m *Machine) adminShow(c *Conn, w *protocol.Words) {
	switch {
	case w.N == 2 && w.Is(1, "jobs"):
		listingEach(m, c, m.knownJobs, m.appendShownJob)
	case w.N == 3 && w.Is(1, "unique") && w.Is(2, "jobs"):
		listingEach(m, c, m.knownJobs, func(b []byte, j *job) []byte {
			return append(append(b, j.unique()...), '\n')
		})
	case w.N == 2 && w.Is(1, "maxqueue"):
		m.showMaxqueue(c)
	case w.N == 2 && w.Is(1, "maxqueuebytes"):
		m.showMaxqueuebytes(c)
	case w.N == 2 && w.Is(1, "limits"):
		m.showLimits(c)
	default:
		m.sayText(c, textUnknownShow)
	}
}

// appendShownJob appends a line of "show jobs": handle, retries, ignored,
// persistent. Ignored is a job that runs though nobody waits for it any more;
// one that does not run yet is gone.
func (m *Machine) appendShownJob(b []byte, j *job) []byte {
	b = append(m.jobs.appendHandle(b, j), '\t')
	b = strconv.AppendUint(b, uint64(j.attempts), 10)
	return append(b, '\t', flag(!j.background && m.audience(j) == 0), '\t', flag(j.background), '\n')
}

// knownJobs yields the jobs that are known to the outside, by number.
func (m *Machine) knownJobs(yield func(*job) bool) {
	for j := range m.jobs.sorted {
		if j.state != pending && !yield(j) {
			return
		}
	}
}

// adminJobs is the Perl server's "jobs": function, unique id, the worker's
// address or a hyphen, how many clients wait.
func (m *Machine) adminJobs(c *Conn) {
	listingEach(m, c, m.knownJobs, func(b []byte, j *job) []byte {
		return appendRow(m.appendPerlJob(b, j), m.audience(j))
	})
}

// adminClients is the Perl server's "clients": every connection's address, and
// under it, behind a tab, the jobs that it waits for.
func (m *Machine) adminClients(c *Conn) {
	listingEach(m, c, m.conns.all, func(b []byte, x *Conn) []byte {
		b = append(append(b, x.peer.Full...), '\n')
		for l := range x.listening.all {
			b = append(m.appendPerlJob(append(b, '\t'), m.jobs.at(l.job)), '\n')
		}
		return b
	})
}

func (m *Machine) appendPerlJob(b []byte, j *job) []byte {
	b = append(append(b, m.functionOf(j).name...), '\t')
	b = append(append(b, j.unique()...), '\t')
	w := m.workerOf(j)
	if w == nil {
		return append(b, '-')
	}
	return append(b, w.peer.Full...)
}
