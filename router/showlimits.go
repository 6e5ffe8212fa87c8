package router

import (
	"strconv"

	"gearbolt/persist"
)

// A bound is a line of "show limits".
type bound struct {
	name       string
	limit, now int64
}

// bounds are the limits of the whole, and what of each is used.
func (m *Machine) bounds() []bound {
	l := &m.cfg.Limits
	return []bound{
		{"max-jobs", int64(l.Jobs), int64(m.jobs.numbers.n)},
		{"max-jobs-per-function", int64(l.JobsPerFunction), most(m, func(fn *function) int64 { return int64(fn.total) })},
		{"max-queue-bytes", l.QueueBytes, m.queueBytes},
		{"max-queue-bytes-per-function", l.QueueBytesPerFunction, most(m, func(fn *function) int64 { return fn.bytes })},
		{"max-functions", int64(l.Functions), int64(len(m.functions))},
		{"max-functions-per-connection", int64(l.FunctionsPerConn), m.mostRegistrations()},
		{"max-clients-per-job", int64(l.ClientsPerJob), m.mostClients()},
		{"queue-memory", l.Memory, m.memory},
		{"payload-memory", m.cfg.PayloadMemory, m.payloadBytes},
	}
}

// most is the largest of a number over all functions.
func most(m *Machine, of func(*function) int64) (n int64) {
	for _, fn := range m.functions {
		n = max(n, of(fn))
	}
	return n
}

func (m *Machine) mostRegistrations() (n int64) {
	for c := range m.conns.all {
		n = max(n, int64(c.registrations))
	}
	return n
}

func (m *Machine) mostClients() (n int64) {
	for ref := range m.jobs.numbers.all {
		n = max(n, int64(m.audience(m.jobs.at(ref))))
	}
	return n
}

// showLimits is "show limits": the setting, its value, and how much of it is
// used, or the most that anybody uses.
func (m *Machine) showLimits(c *Conn) {
	listing(m, c, m.bounds(), func(b []byte, x bound) []byte {
		b = strconv.AppendInt(append(append(b, x.name...), '\t'), x.limit, 10)
		return append(strconv.AppendInt(append(b, '\t'), x.now, 10), '\n')
	})
}

// showMaxqueue is "show maxqueue": function, high, normal, low.
func (m *Machine) showMaxqueue(c *Conn) {
	listing(m, c, m.sortedLimits(func(l persist.Limit) bool { return l.Max != [persist.Priorities]uint32{} }),
		func(b []byte, l persist.Limit) []byte {
			return appendRow(append(b, l.Function...), int(l.Max[persist.High]), int(l.Max[persist.Normal]), int(l.Max[persist.Low]))
		})
}

// showMaxqueuebytes is "show maxqueuebytes": function, bytes.
func (m *Machine) showMaxqueuebytes(c *Conn) {
	listing(m, c, m.sortedLimits(func(l persist.Limit) bool { return l.Bytes > 0 }), func(b []byte, l persist.Limit) []byte {
		return appendRow(append(b, l.Function...), int(l.Bytes))
	})
}
