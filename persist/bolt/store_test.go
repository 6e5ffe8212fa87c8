package bolt

import (
	"testing"

	"gearbolt/persist"
	"gearbolt/persist/persisttest"
)

func TestConformance(t *testing.T) {
	persisttest.RunDurable(t, func(t testing.TB, dir string) persist.Store { return opened(t, Options{Dir: dir}) })
}

// opened opens a store that is yet to be loaded, and open one that is loaded.
func opened(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func open(t testing.TB, o Options) *Store {
	t.Helper()
	s := opened(t, o)
	if err := s.Load(func(persist.Change) error { return nil }); err != nil {
		t.Fatal(err)
	}
	return s
}
