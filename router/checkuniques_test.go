package router

import (
	"bytes"
	"errors"
	"fmt"
)

func (m *Machine) checkUniques() error {
	claims, known := 0, 0
	for j := range m.jobs.sorted {
		if !j.claims() {
			continue
		}
		claims++
		if j.hash != m.uniques.hash(j.key()) || !m.isClaimed(j) {
			return fmt.Errorf("job %v is not found by its unique id", m.jobs.id(j))
		}
		if j.named() && j.state != pending {
			known++
		} else if j.younger != 0 || j.older != 0 {
			return fmt.Errorf("job %v in state %d with unique id %q hangs on others", m.jobs.id(j), j.state, j.unique())
		}
	}
	for first := range m.uniques.byID.all {
		n, err := m.checkNamesakes(m.jobs.at(first))
		if err != nil {
			return fmt.Errorf("unique %q: %w", m.jobs.at(first).unique(), err)
		}
		known -= n
	}
	if claims != m.uniques.byKey.n || known != 0 {
		return fmt.Errorf("%d jobs have a unique, %d have a place, and %+d of these an odd one", claims, m.uniques.byKey.n, known)
	}
	return errors.Join(m.uniques.byKey.check(claims), m.uniques.byID.check(m.uniques.byID.n))
}

// isClaimed reports whether the job is found by its function and key.
func (m *Machine) isClaimed(j *job) bool {
	found := m.uniques.byKey.with(hashIn(j.fn, j.hash))
	for ref := found.one(); ref != 0; ref = found.one() {
		if ref == j.ref {
			return true
		}
	}
	return false
}

// checkNamesakes counts the jobs with the unique id of the youngest one.
func (m *Machine) checkNamesakes(youngest *job) (n int, err error) {
	var younger jobRef
	for ref := youngest.ref; ref != 0; ref = m.jobs.at(ref).older {
		j := m.jobs.at(ref)
		if n++; j.younger != younger {
			return n, fmt.Errorf("job %v does not know the one after it", m.jobs.id(j))
		}
		if j.state == pending || j.state == done || !bytes.Equal(j.unique(), youngest.unique()) {
			return n, fmt.Errorf("job %v, %q in state %d, is out of place", m.jobs.id(j), j.unique(), j.state)
		}
		younger = ref
	}
	return n, nil
}
