package router

import "fmt"

// soundChain walks a list of abilities in both directions.
func (m *Machine) soundChain(what string, l *abilityList, by chain) error {
	n := 0
	var before abilityRef
	for ref := l.first; ref != 0; before, ref = ref, m.abilities.at(ref).chains[by].next {
		if n++; m.abilities.at(ref).chains[by].prev != before || n > l.n {
			return fmt.Errorf("%s: ability %d is not where it says", what, n)
		}
	}
	if n != l.n || l.last != before {
		return fmt.Errorf("%s: %d abilities, but n is %d", what, n, l.n)
	}
	return nil
}

// checkSleepers compares the abilities that functions know with those that
// connections have, and with those that there are.
func (m *Machine) checkSleepers() error {
	asleep, all := 0, 0
	for c := range m.conns.all {
		asleep += c.turns.n - c.awake.n
		all += c.turns.n
	}
	for name, fn := range m.functions {
		if m.functionAt.at[fn.seat] != fn {
			return fmt.Errorf("function %q has lost its seat", name)
		}
		for a := range m.abilities.all(&fn.sleepers, bySleep) {
			if a.awake || a.fn != fn.seat {
				return fmt.Errorf("function %q can wake a worker by an ability that is not for that", name)
			}
			asleep--
		}
	}
	if asleep != 0 {
		return fmt.Errorf("%d abilities can neither wake their worker nor are they known to be awake", asleep)
	}
	return m.abilities.check(all)
}
