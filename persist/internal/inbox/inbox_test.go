package inbox

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"gearbolt/persist"
)

// What waits is served at once and in order, by one goroutine, which ends with
// Close; the bubble fails the test if it does not.
func TestGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var groups []int
		var answers []error
		goOn := make(chan struct{})
		in := New(func(group []Commit) {
			groups = append(groups, len(group))
			<-goOn
			for _, c := range group {
				c.Done(nil)
			}
		})
		put := func() { in.Put(nil, func(err error) { answers = append(answers, err) }) }
		for _, n := range []int{1, 3, 1} {
			for range n {
				put()
			}
			synctest.Wait()
		}
		close(goOn)
		in.Close()
		put()
		synctest.Wait()
		if want := []int{1, 4}; !slices.Equal(groups, want) {
			t.Errorf("groups of %d, want %d", groups, want)
		}
		if want := []error{nil, nil, nil, nil, nil, persist.ErrClosed}; !slices.EqualFunc(answers, want, errors.Is) {
			t.Errorf("answers %v, want %v", answers, want)
		}
	})
}

// A Done may put in what comes next, which is served after it.
func TestPutByDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		served := 0
		in := New(func(group []Commit) {
			served += len(group)
			for _, c := range group {
				c.Done(nil)
			}
		})
		in.Put(nil, func(error) { in.Put(nil, func(error) {}) })
		synctest.Wait()
		in.Close()
		if served != 2 {
			t.Errorf("%d served, want 2", served)
		}
	})
}

// An inbox that was never used has nothing to end.
func TestUnused(t *testing.T) {
	synctest.Test(t, func(*testing.T) { New(nil).Close() })
}
