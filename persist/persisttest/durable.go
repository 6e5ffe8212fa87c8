package persisttest

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"gearbolt/persist"
)

func durables() []check {
	return []check{
		{"RoundTrip", testRoundTrip},
		{"LoadOrder", testLoadOrder},
		{"LoadStopsAtError", testLoadStops},
		{"Delete", testDelete},
		{"SameBatch", testSameBatch},
		{"Idempotence", testIdempotence},
		{"Attempts", testAttempts},
		{"Limits", testLimits},
		{"EpochGrows", testEpoch},
		{"PayloadAfterRestart", testPayloadAfterRestart},
		{"LoadedJobsCanChange", testLoadedJobsCanChange},
		{"CloseFinishes", testCloseFinishes},
	}
}

// variants are jobs with every value of a field that could get lost.
func variants() []*persist.Job {
	edit := []func(j *persist.Job){
		func(j *persist.Job) {},
		func(j *persist.Job) { j.Priority = persist.High },
		func(j *persist.Job) { j.Priority = persist.Normal },
		func(j *persist.Job) { j.Priority = persist.Low },
		func(j *persist.Job) { j.Unique = "" },
		func(j *persist.Job) { j.Unique = "-" },
		func(j *persist.Job) { j.Unique = strings.Repeat("u", 64) },
		func(j *persist.Job) { j.Reducer = "" },
		func(j *persist.Job) { j.Reducer, j.HasReducer = "", false },
		func(j *persist.Job) { j.Payload = nil },
		func(j *persist.Job) { j.Payload = []byte("\x00\x00") },
		func(j *persist.Job) { j.Payload = bytes.Repeat([]byte("0123456789abcdef"), 1<<16) },
		func(j *persist.Job) { j.Payload = bytes.Repeat([]byte("."), 4095) },
		func(j *persist.Job) { j.Due = time.Time{} },
		func(j *persist.Job) { j.Due = time.UnixMilli(0) },
		func(j *persist.Job) { j.Due = time.UnixMilli(-1) },
		func(j *persist.Job) { j.Due = time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC) },
		func(j *persist.Job) { j.Attempts = 0 },
		func(j *persist.Job) { j.Attempts = math.MaxUint32 },
		func(j *persist.Job) { j.Function, j.Prefix = "", "" },
		func(j *persist.Job) { j.Function = strings.Repeat("f", 512) },
		func(j *persist.Job) { j.Function, j.Unique = "a\x00b\xff", "\x00" },
		func(j *persist.Job) { j.ID = persist.JobID{Epoch: math.MaxUint64, Seq: math.MaxUint64} },
	}
	var jobs []*persist.Job
	for i, e := range edit {
		j := job(uint64(i + 1))
		e(j)
		jobs = append(jobs, j)
	}
	return jobs
}

func puts(jobs []*persist.Job) []persist.Change {
	changes := make([]persist.Change, len(jobs))
	for i, j := range jobs {
		changes[i] = put(j)
	}
	return changes
}

func testRoundTrip(t *testing.T, open Open) {
	f := start(t, open)
	want := puts(variants())
	f.keep(want...)
	f.bothWays(func(t testing.TB, kept []persist.Change) { wantKept(t, kept, want) })
}

func testLoadOrder(t *testing.T, open Open) {
	f := start(t, open)
	ids := []persist.JobID{{Epoch: 1, Seq: 1}, {Epoch: 1, Seq: 2}, {Epoch: 1, Seq: 255}, {Epoch: 1, Seq: 256},
		{Epoch: 1, Seq: 1 << 40}, {Epoch: 2, Seq: 1}, {Epoch: 255, Seq: 9}, {Epoch: 256, Seq: 3}}
	want := make([]persist.Change, len(ids))
	for i, id := range ids {
		j := job(uint64(i))
		j.ID = id
		want[i] = put(j)
	}
	for _, i := range []int{5, 2, 7, 0, 4, 6, 1, 3} {
		f.keep(want[i])
	}
	f.keep(limit("f", 1, 2, 3))
	want = append([]persist.Change{limit("f", 1, 2, 3)}, want...)
	f.bothWays(func(t testing.TB, kept []persist.Change) { wantKept(t, kept, want) })
}

func testLoadStops(t *testing.T, open Open) {
	f := start(t, open)
	f.keep(put(job(1)), put(job(2)), limit("f", 1, 1, 1))
	f.Close()
	s := open(t, f.dir)
	t.Cleanup(func() { s.Close() })
	enough, calls := errors.New("enough"), 0
	err := s.Load(func(persist.Change) error {
		calls++
		return enough
	})
	if !errors.Is(err, enough) || calls != 1 {
		t.Fatalf("Load returned %v after %d calls, want the error of the first", err, calls)
	}
}

func testDelete(t *testing.T, open Open) {
	f := start(t, open)
	f.keep(put(job(1)), put(job(2)), put(job(3)))
	f.keep(remove(job(2)))
	f.keep(remove(job(4)))
	want := []persist.Change{put(job(1)), put(job(3))}
	f.bothWays(func(t testing.TB, kept []persist.Change) { wantKept(t, kept, want) })
}

func testSameBatch(t *testing.T, open Open) {
	f := start(t, open)
	late := job(3)
	late.Attempts = 9
	f.keep(put(job(1)), remove(job(1)),
		put(job(2)), attempt(job(2), 7), remove(job(2)),
		put(job(3)), attempt(job(3), 9),
		put(job(4)), remove(job(4)), put(job(4)),
		limit("f", 1, 1, 1), limit("f", 2, 2, 2))
	want := []persist.Change{limit("f", 2, 2, 2), put(late), put(job(4))}
	f.bothWays(func(t testing.TB, kept []persist.Change) { wantKept(t, kept, want) })
}

func testIdempotence(t *testing.T, open Open) {
	f := start(t, open)
	tried := job(2)
	tried.Attempts = 8
	for range 2 {
		f.keep(put(job(1)), put(job(2)), put(job(3)))
	}
	for range 2 {
		f.keep(remove(job(1)), attempt(job(2), 8), limit("f", 1, 0, 0), limit("g", 0, 0, 0))
	}
	want := []persist.Change{limit("f", 1, 0, 0), put(tried), put(job(3))}
	f.bothWays(func(t testing.TB, kept []persist.Change) { wantKept(t, kept, want) })
}

func testAttempts(t *testing.T, open Open) {
	f := start(t, open)
	big := job(2)
	big.Payload = bytes.Repeat([]byte("x"), 1<<20)
	f.keep(put(job(1)), put(big), put(job(3)), put(job(5)))
	f.keep(attempt(job(1), 11), attempt(big, 12), attempt(job(4), 14), attempt(job(5), 15))
	f.keep(attempt(big, 13), remove(job(1)))
	f.keep(put(job(1)), put(job(4)), put(job(5))) // what was kept of earlier ones with their numbers is gone
	big.Attempts = 13
	want := []persist.Change{put(job(1)), put(big), put(job(3)), put(job(4)), put(job(5))}
	f.bothWays(func(t testing.TB, kept []persist.Change) { wantKept(t, kept, want) })
}

func testLimits(t *testing.T, open Open) {
	f := start(t, open)
	f.keep(limit("set", 1, 2, 3), limit("replaced", 4, 5, 6), limit("removed", 7, 8, 9), limit("", 1, 0, 0))
	f.keep(limit("replaced", 0, math.MaxUint32, 0), limit("removed", 0, 0, 0), limit("never set", 0, 0, 0))
	f.keep(limitBytes("set", 1, 2, 3, math.MaxInt64), limitBytes("only bytes", 0, 0, 0, 1), limitBytes("bytes removed", 1, 0, 0, 1))
	f.keep(limit("bytes removed", 1, 0, 0))
	want := []persist.Change{limitBytes("set", 1, 2, 3, math.MaxInt64), limit("replaced", 0, math.MaxUint32, 0), limit("", 1, 0, 0),
		limitBytes("only bytes", 0, 0, 0, 1), limit("bytes removed", 1, 0, 0)}
	f.bothWays(func(t testing.TB, kept []persist.Change) { wantKept(t, kept, want) })
}

func testEpoch(t *testing.T, open Open) {
	f := start(t, open)
	if f.Epoch() == 0 {
		t.Error("the epoch of a first start is 0, which is no job's")
	}
	for range 3 {
		crashed, _ := f.crash()
		restarted, _ := f.restart()
		if crashed.Epoch() <= f.Epoch() || restarted.Epoch() <= f.Epoch() {
			t.Fatalf("epoch %d is followed by %d after a crash and by %d after Close", f.Epoch(), crashed.Epoch(), restarted.Epoch())
		}
		f = restarted
	}
}

func testPayloadAfterRestart(t *testing.T, open Open) {
	f := start(t, open)
	jobs := variants()
	f.keep(puts(jobs)...)
	f, _ = f.restart()
	for _, j := range jobs {
		f.wantPayload(j.ID, j.Payload)
	}
}

func testLoadedJobsCanChange(t *testing.T, open Open) {
	f := start(t, open)
	f.keep(put(job(1)), put(job(2)), limit("f", 1, 1, 1))
	f, _ = f.restart()
	f.keep(remove(job(1)), attempt(job(2), 99), put(job(3)), limit("f", 0, 0, 0))
	tried := job(2)
	tried.Attempts = 99
	want := []persist.Change{put(tried), put(job(3))}
	f.bothWays(func(t testing.TB, kept []persist.Change) { wantKept(t, kept, want) })
}

// testCloseFinishes checks that what was given before Close is kept, though
// nobody has waited for the answers.
func testCloseFinishes(t *testing.T, open Open) {
	f := start(t, open)
	var want []persist.Change
	for n := uint64(1); n <= 200; n++ {
		want = append(want, put(job(n)))
		f.Commit(want[n-1:n:n], func(error) {})
	}
	_, kept := f.restart()
	wantKept(t, kept, want)
}
