package bolt

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"gearbolt/persist"
)

var writeFormat = flag.Bool("write-format", false, "write the file of the current format into testdata")

// formatFile names the file that a program of format v wrote. To add one:
//
//	go test ./persist/bolt -run TestFormats -write-format
//
// before the format is changed again. It is never written a second time: that
// the programs of today read what those of then wrote is what it shows.
func formatFile(v int) string { return filepath.Join("testdata", fmt.Sprintf("format%d.db.gz", v)) }

// formatJobs are the jobs in the files of all formats: every other one of a
// hundred and one, the rest having been deleted, and some large ones.
func formatJobs() (jobs []persist.Job) {
	for n := uint64(1); n <= 101; n += 2 {
		j := persist.Job{
			ID: persist.JobID{Epoch: n / 50, Seq: n}, Prefix: "H:format", Function: fmt.Sprintf("f%d", n%4),
			Payload: bytes.Repeat([]byte{byte(n)}, int(n)), Priority: persist.Priority(n % persist.Priorities),
		}
		switch n % 5 {
		case 1:
			j.Unique = fmt.Sprintf("unique-%d", n)
		case 2:
			j.Unique, j.Reducer, j.HasReducer = "-", "", true
		case 3:
			j.Reducer, j.HasReducer = "sum", true
		case 4:
			j.Attempts, j.Due = uint32(n), time.UnixMilli(int64(n)*1e9+1).UTC()
		}
		jobs = append(jobs, j)
	}
	for n, size := range []int{0, 5000, 32 << 10, 32<<10 + 1, 1 << 20} {
		jobs = append(jobs, persist.Job{
			ID: persist.JobID{Epoch: 3, Seq: uint64(n)}, Prefix: "H:format", Function: "large",
			Payload: bytes.Repeat([]byte{'a' + byte(n)}, size), Priority: persist.Normal,
		})
	}
	return jobs
}

// formatChanges make such a file of an empty one.
func formatChanges() (changes []persist.Change) {
	for _, j := range formatJobs() {
		gone := benchJob(j.ID.Seq + 1)
		gone.ID.Epoch = j.ID.Epoch
		changes = append(changes, put(&j))
		if j.ID.Epoch < 3 {
			changes = append(changes, put(gone), remove(gone.ID))
		}
	}
	id := persist.JobID{Epoch: 3, Seq: 4} // tried since it was put
	changes = append(changes, persist.Change{Kind: persist.SetAttempt, ID: id, Attempts: 7})
	for _, l := range formatLimits {
		changes = append(changes, persist.Change{Kind: persist.SetLimit, Limit: &l})
	}
	return changes
}

var formatLimits = []persist.Limit{
	{Function: "", Max: [3]uint32{0, 0, 1}},
	{Function: "f1", Max: [3]uint32{1, 2, 3}},
}

// formatKept is what Load is to tell of such a file.
func formatKept() (kept []persist.Change) {
	for _, l := range formatLimits {
		kept = append(kept, persist.Change{Kind: persist.SetLimit, Limit: &l})
	}
	for _, j := range formatJobs() {
		if j.ID == (persist.JobID{Epoch: 3, Seq: 4}) {
			j.Attempts = 7
		}
		kept = append(kept, put(&j))
	}
	return kept
}

// TestFormats opens a file of every format there was.
func TestFormats(t *testing.T) {
	if *writeFormat {
		makeFormatFile(t)
	}
	for v := 1; v <= formatVersion; v++ {
		t.Run(fmt.Sprint(v), func(t *testing.T) {
			wantRewritable(t, readFormatFile(t, v), v)
			dir := place(t, readFormatFile(t, v))
			for range 2 { // as it was, and as the first start left it
				s := opened(t, Options{Dir: dir})
				wantFormatKept(t, s)
				s.Close()
			}
			s := open(t, Options{Dir: dir})
			wantFormatVersion(t, s)
			wantUsable(t, s)
		})
	}
}

// wantRewritable checks that a file of format v is clean, and that what compact
// and salvage make of it has all that it has.
func wantRewritable(t *testing.T, file []byte, v int) {
	t.Helper()
	dir, out := place(t, file), filepath.Join(t.TempDir(), "out")
	if r, err := Check(dir, nil); err != nil || !r.Clean() || r.Format != uint64(v) {
		t.Errorf("the check says %+v, %v", r, err)
	}
	if r, err := Salvage(dir, out, SalvageOptions{}); err != nil || !r.Whole() {
		t.Errorf("salvage says %+v, %v", r, err)
	}
	if _, err := Compact(dir, nil); err != nil {
		t.Error(err)
	}
	for _, dir := range []string{dir, out} {
		s := opened(t, Options{Dir: dir})
		wantFormatKept(t, s)
		s.Close()
	}
}

// wantFormatKept checks that s has what all the files have.
func wantFormatKept(t *testing.T, s *Store) {
	t.Helper()
	want := formatKept()
	err := s.Load(func(c persist.Change) error {
		if len(want) == 0 || !reflect.DeepEqual(c, want[0]) {
			return fmt.Errorf("unexpected: %+v %+v", c.Job, c.Limit)
		}
		want = want[1:]
		return nil
	})
	if err != nil || len(want) != 0 {
		t.Fatalf("%d things are missing: %v", len(want), err)
	}
	for _, j := range formatJobs() {
		if b, err := s.Payload(j.ID); err != nil || !bytes.Equal(b, j.Payload) {
			t.Fatalf("payload of job %v: %d bytes, %v", j.ID, len(b), err)
		}
	}
}

func wantFormatVersion(t *testing.T, s *Store) {
	t.Helper()
	s.db.View(func(tx *bbolt.Tx) error {
		if v, err := getNumber(tx.Bucket(bucketMeta), keyFormat); v != formatVersion || err != nil {
			t.Errorf("the file has become one of format %d, not %d: %v", v, formatVersion, err)
		}
		return nil
	})
}

// wantUsable puts all the jobs of s once more, with others between them, and then
// deletes them.
func wantUsable(t *testing.T, s *Store) {
	t.Helper()
	var in, out []persist.Change
	for _, j := range formatJobs() {
		between := *benchJob(j.ID.Seq + 1)
		between.ID.Epoch = j.ID.Epoch
		in = append(in, put(&between), put(&j))
		out = append(out, remove(j.ID), remove(between.ID))
	}
	keep(t, s, in...)
	keep(t, s, out...)
	s.db.View(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketJobs, bucketParts, bucketAttempts} {
			if !isEmpty(tx.Bucket(name)) {
				t.Errorf("when all jobs are deleted, bucket %s has something left", name)
			}
		}
		return nil
	})
}

func readFormatFile(t *testing.T, v int) []byte {
	t.Helper()
	f, err := os.Open(formatFile(v))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func makeFormatFile(t *testing.T) {
	t.Helper()
	s := open(t, Options{Dir: t.TempDir()})
	for _, c := range formatChanges() {
		keep(t, s, c)
	}
	s.Close()
	b, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(formatFile(formatVersion), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
