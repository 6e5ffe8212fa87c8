package bolt

import (
	"testing"

	"gearbolt/persist"
	"gearbolt/persist/persisttest"
)

func TestConformance(t *testing.T) {
	persisttest.RunDurable(t, func(t testing.TB, dir string) persist.Store { return open(t, Options{Dir: dir}) })
}

func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
