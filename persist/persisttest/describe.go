package persisttest

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"gearbolt/persist"
)

// wantKept compares what Load told with what it should have. Limits come
// first, in any order, and then the jobs in theirs.
func wantKept(t testing.TB, got, want []persist.Change) {
	t.Helper()
	if g, w := describe(got), describe(want); !slices.Equal(g, w) {
		t.Fatalf("Load told\n\t%s\nwant\n\t%s", strings.Join(g, "\n\t"), strings.Join(w, "\n\t"))
	}
}

// describe returns one line for each change, which tells all that is in it.
func describe(changes []persist.Change) []string {
	lines := make([]string, len(changes))
	limits := 0
	for i, c := range changes {
		lines[i] = line(c)
		if c.Kind == persist.SetLimit && limits == i {
			limits++
		}
	}
	slices.Sort(lines[:limits])
	return lines
}

func line(c persist.Change) string {
	switch {
	case c.Kind == persist.SetLimit && c.Limit != nil:
		return fmt.Sprintf("limit %q %v %d", c.Limit.Function, c.Limit.Max, c.Limit.Bytes)
	case c.Kind == persist.PutJob && c.Job != nil:
		return jobLine(c.Job)
	}
	return fmt.Sprintf("%+v", c)
}

func jobLine(j *persist.Job) string {
	due := "at once"
	if !j.Due.IsZero() {
		due = fmt.Sprint(j.Due.UnixMilli())
	}
	reducer := "none"
	if j.HasReducer {
		reducer = fmt.Sprintf("%q", j.Reducer)
	}
	return fmt.Sprintf("job %v prefix %q function %q unique %q reducer %s priority %d attempts %d due %s payload %s",
		j.ID, j.Prefix, j.Function, j.Unique, reducer, j.Priority, j.Attempts, due, brief(j.Payload))
}

// brief describes bytes that may be too many to print.
func brief(b []byte) string {
	if len(b) <= 40 {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("of %d bytes with checksum %08x", len(b), crc32.ChecksumIEEE(b))
}
