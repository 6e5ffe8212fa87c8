package persisttest_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"gearbolt/persist"
	"gearbolt/persist/bolt"
	"gearbolt/persist/persisttest"
)

// An altered store is a good one with a flaw.
type altered struct {
	persist.Store
	epoch   func() uint64
	load    func(func(persist.Change) error) error
	commit  func([]persist.Change, func(error))
	payload func(persist.JobID) ([]byte, error)
	close   func() error
}

func (a *altered) Epoch() uint64                               { return a.epoch() }
func (a *altered) Load(f func(persist.Change) error) error     { return a.load(f) }
func (a *altered) Commit(c []persist.Change, done func(error)) { a.commit(c, done) }
func (a *altered) Payload(id persist.JobID) ([]byte, error)    { return a.payload(id) }
func (a *altered) Close() error                                { return a.close() }
func unaltered(s persist.Store) *altered {
	return &altered{s, s.Epoch, s.Load, s.Commit, s.Payload, s.Close}
}

// edited has each change that is committed edited first: to nothing, if edit
// returns false.
func edited(edit func(c *persist.Change) bool) func(a *altered) {
	return func(a *altered) {
		a.commit = func(changes []persist.Change, done func(error)) {
			var left []persist.Change
			for _, c := range changes {
				if edit(&c) {
					left = append(left, c)
				}
			}
			a.Store.Commit(left, done)
		}
	}
}

// editedJobs has each job that is committed edited first.
func editedJobs(edit func(j *persist.Job)) func(a *altered) {
	return edited(func(c *persist.Change) bool {
		if c.Kind == persist.PutJob {
			j := *c.Job
			edit(&j)
			c.Job = &j
		}
		return true
	})
}

// flaws are what the suite is there to find, by the check that finds it.
var flaws = []struct {
	check string
	alter func(a *altered)
}{
	{"RoundTrip", editedJobs(func(j *persist.Job) { j.HasReducer = j.Reducer != "" })},
	{"RoundTrip", editedJobs(func(j *persist.Job) { j.Due = j.Due.Truncate(1e9) })},
	{"RoundTrip", editedJobs(func(j *persist.Job) { j.Priority = persist.Normal })},
	{"RoundTrip", editedJobs(func(j *persist.Job) { j.Unique = strings.TrimPrefix(j.Unique, "-") })},
	{"RoundTrip", editedJobs(func(j *persist.Job) { j.Payload = j.Payload[:min(len(j.Payload), 1<<16)] })},
	{"PayloadAfterRestart", editedJobs(func(j *persist.Job) { j.Payload = j.Payload[:min(len(j.Payload), 1<<16)] })},
	{"Delete", edited(func(c *persist.Change) bool { return c.Kind != persist.DeleteJob })},
	{"Attempts", edited(func(c *persist.Change) bool { return c.Kind != persist.SetAttempt })},
	{"Limits", edited(func(c *persist.Change) bool { return c.Kind != persist.SetLimit || c.Limit.Max[0] != 0 })},
	{"SameBatch", func(a *altered) {
		a.commit = func(changes []persist.Change, done func(error)) {
			changes = slices.Clone(changes)
			slices.Reverse(changes)
			a.Store.Commit(changes, done)
		}
	}},
	{"LoadOrder", func(a *altered) {
		a.load = func(f func(persist.Change) error) error {
			var all []persist.Change
			a.Store.Load(func(c persist.Change) error { all = append(all, c); return nil })
			for _, c := range slices.Backward(all) {
				f(c)
			}
			return nil
		}
	}},
	{"LoadStopsAtError", func(a *altered) {
		a.load = func(f func(persist.Change) error) error {
			return a.Store.Load(func(c persist.Change) error { f(c); return nil })
		}
	}},
	{"EpochGrows", func(a *altered) { a.epoch = func() uint64 { return 1 } }},
	{"EpochIsUnique", func(a *altered) { a.epoch = func() uint64 { return 1 } }},
	{"CommitDoesNotCallBack", func(a *altered) {
		a.commit = func(changes []persist.Change, done func(error)) {
			answer := make(chan error)
			a.Store.Commit(changes, func(err error) { answer <- err })
			done(<-answer)
		}
	}},
	{"DoneOnceInOrder", func(a *altered) {
		a.commit = func(changes []persist.Change, done func(error)) {
			a.Store.Commit(changes, func(err error) { go done(err) })
		}
	}},
	{"DoneOnceInOrder", func(a *altered) {
		a.commit = func(changes []persist.Change, done func(error)) {
			a.Store.Commit(changes, func(err error) { done(err); done(err) })
		}
	}},
	{"CommitAfterClose", func(a *altered) {
		a.commit = func(changes []persist.Change, done func(error)) {
			a.Store.Commit(changes, func(error) { done(nil) })
		}
	}},
	{"CloseAnswersFirst", func(a *altered) { a.close = func() error { go a.Store.Close(); return nil } }},
	{"CloseFinishes", func(a *altered) {
		var closed atomic.Bool
		a.close = func() error { closed.Store(true); return a.Store.Close() }
		a.commit = func(changes []persist.Change, done func(error)) {
			a.Store.Commit(nil, func(err error) {
				if !closed.Load() {
					a.Store.Commit(changes, func(error) {})
				}
				done(err)
			})
		}
	}},
	{"PayloadOfUnknown", func(a *altered) {
		a.payload = func(id persist.JobID) ([]byte, error) {
			b, err := a.Store.Payload(id)
			if errors.Is(err, persist.ErrNotFound) {
				err = nil
			}
			return b, err
		}
	}},
	{"PayloadIsTheCallers", func(a *altered) {
		var last []byte
		a.payload = func(id persist.JobID) ([]byte, error) {
			var err error
			if last == nil {
				last, err = a.Store.Payload(id)
			}
			return last, err
		}
	}},
	{"BytesAreLentUntilDone", func(a *altered) {
		var lent []byte
		a.commit = func(changes []persist.Change, done func(error)) {
			if lent == nil {
				lent = changes[0].Job.Payload
			}
			a.Store.Commit(changes, done)
		}
		a.payload = func(persist.JobID) ([]byte, error) { return bytes.Clone(lent), nil }
	}},
}

const flawEnv = "GEARBOLT_TEST_FLAW"

// TestFlawed runs the suite on the store whose flaw the environment names.
func TestFlawed(t *testing.T) {
	n := slices.Index(numbers(), os.Getenv(flawEnv))
	if n < 0 {
		return // a part of TestSuiteFindsFlaws
	}
	persisttest.RunDurable(t, func(t testing.TB, dir string) persist.Store {
		s, err := bolt.Open(bolt.Options{Dir: dir, UnsafeNoFsync: true})
		if err != nil {
			t.Fatal(err)
		}
		a := unaltered(s)
		flaws[n].alter(a)
		return a
	})
}

// numbers names the flaws.
func numbers() []string {
	names := make([]string, len(flaws))
	for n, f := range flaws {
		names[n] = f.check + strings.Repeat("'", n)
	}
	return names
}

// TestSuiteFindsFlaws checks that each check of the suite can fail.
func TestSuiteFindsFlaws(t *testing.T) {
	for n, name := range numbers() {
		check := flaws[n].check
		cmd := exec.Command(os.Args[0], "-test.run=^TestFlawed$/^"+check+"$")
		cmd.Env = append(os.Environ(), flawEnv+"="+name)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "--- FAIL: TestFlawed/"+check) {
			t.Errorf("check %s does not find flaw %d: %v\n%s", check, n, err, out)
		}
	}
}
