package router

import "time"

// Dismiss goes before [Machine.Disconnect] for a connection with many
// functions: it drops up to n of them, so that other events can come between,
// and reports whether some are left. From the first call on the connection is
// handed no job any more and told nothing.
func (m *Machine) Dismiss(now time.Time, c *Conn, n int) (more bool) {
	m.advance(now)
	c.end()
	for a := range m.abilities.all(&c.turns, byTurn) {
		if n == 0 {
			return true
		}
		m.dropAbility(c, a)
		n--
	}
	return false
}
