package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"gearbolt/persist"
)

// leaves returns the jobs of each leaf of a store's file, by its page.
func leaves(t *testing.T, file []byte) map[uint64]map[string]bool {
	t.Helper()
	m, _, err := currentMeta(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	byPage := map[uint64]map[string]bool{}
	w := newWalk(pager{file: bytes.NewReader(file), size: int64(len(file))}, m, func(r stored) error {
		if r.kind == kindJobs {
			if byPage[r.page] == nil {
				byPage[r.page] = map[string]bool{}
			}
			byPage[r.page]["job "+r.job.ID.String()] = true
		}
		return nil
	})
	if err := w.all(); err != nil {
		t.Fatal(err)
	}
	return byPage
}

// One leaf after the other is lost. What it had some time ago comes back as
// uncertain, with jobs of its range that were done, but none of another range,
// for which the rest of the tree vouches; and with Certain nothing does.
func TestSalvageOfFreePages(t *testing.T) {
	tr := lived(t)
	all := leaves(t, tr.file)
	for _, certain := range []bool{false, true} {
		back, done := 0, 0
		for page, lost := range all {
			file := bytes.Clone(tr.file)
			clear(file[page*uint64(os.Getpagesize()):][:os.Getpagesize()])
			dir := place(t, file)
			out := filepath.Join(dir, "out")
			report, err := Salvage(dir, out, SalvageOptions{Certain: certain})
			if err != nil || len(report.Damage) != 1 || !strings.HasPrefix(report.Damage[0].Lost, "jobs") {
				t.Fatalf("page %d: %+v, %v", page, report, err)
			}
			got, err := contents(out)
			if err != nil {
				t.Fatal(err)
			}
			uncertain := 0
			for name := range got {
				if lost[name] {
					back, uncertain = back+1, uncertain+1
				} else if tr.live[name] == "" && strings.HasPrefix(name, "job ") {
					done, uncertain = done+1, uncertain+1
				}
			}
			if int(report.Uncertain) != uncertain {
				t.Errorf("page %d: %d jobs are uncertain: %+v", page, uncertain, report)
			}
			os.RemoveAll(dir)
		}
		t.Logf("certain %v: of %d leaves, %d jobs are back, and %d that were done", certain, len(all), back, done)
		if certain != (back == 0) || certain != (done == 0) {
			t.Errorf("certain %v: %d jobs of lost pages are back, and %d that were done", certain, back, done)
		}
	}
}

// A leaf says that it runs over into all pages that follow, which have pages of
// the tree in them: those are no less looked for, and neither are pages that only
// one of them leads to.
func TestSalvageOfPagesThatAnotherClaims(t *testing.T) {
	tr := lived(t)
	for _, page := range leavesBesideJobs(t, tr.file) {
		file := bytes.Clone(tr.file)
		at, pages := page*uint64(os.Getpagesize()), uint64(len(file)/os.Getpagesize())
		binary.NativeEndian.PutUint32(file[at+12:], uint32(pages-page-1))
		out := filepath.Join(t.TempDir(), "out")
		if _, err := Salvage(place(t, file), out, SalvageOptions{}); err != nil {
			t.Fatalf("page %d: %v", page, err)
		}
		got, err := contents(out)
		if err != nil {
			t.Fatal(err)
		}
		if err := tr.judge(file, got); err != nil {
			t.Errorf("page %d of %d: %v", page, pages, err)
		}
	}
}

// leavesBesideJobs returns the leaves that are read before the jobs are.
func leavesBesideJobs(t *testing.T, file []byte) (all []uint64) {
	t.Helper()
	m, _, err := currentMeta(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	w := newWalk(pager{file: bytes.NewReader(file), size: int64(len(file))}, m, func(r stored) error {
		if r.kind != kindJobs && r.page != m.root && !slices.Contains(all, r.page) {
			all = append(all, r.page)
		}
		return nil
	})
	if err := w.all(); err != nil {
		t.Fatal(err)
	}
	return all
}

// The page of the root is lost: the transaction before tells what there was.
func TestSalvageOfPreviousTree(t *testing.T) {
	tr := lived(t)
	file := bytes.Clone(tr.file)
	m, _, err := currentMeta(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	clear(file[m.root*uint64(m.pageSize):][:m.pageSize])
	dir := place(t, file)
	out := filepath.Join(dir, "out")
	report, err := Salvage(dir, out, SalvageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := contents(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.judge(file, got); err != nil {
		t.Error(err)
	}
	// Done in the last transaction: those are back. Done before: none is.
	if more := len(got) - len(tr.live); more <= 0 || more > 200 {
		t.Errorf("%d things are back, of %d: %+v", len(got), len(tr.live), report)
	}
}

func TestSalvageRefuses(t *testing.T) {
	good := place(t, written(t))
	taken := t.TempDir()
	foreign := t.TempDir()
	editFile(t, foreign, func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("theirs"))
		return err
	})
	newer := place(t, written(t))
	editFile(t, newer, func(tx *bbolt.Tx) error { return putNumber(tx.Bucket(bucketMeta), keyFormat, formatVersion+1) })
	running := t.TempDir()
	open(t, Options{Dir: running})
	for _, c := range []struct{ in, out, want string }{
		{good, taken, "already exists"},
		{good, filepath.Join(good, fileName), "already exists"},
		{good, filepath.Join(taken, "not", "there"), "no such file"},
		{filepath.Join(taken, "nothing"), filepath.Join(taken, "o"), "no such file"},
		{taken, filepath.Join(taken, "o"), "no such file"},
		{place(t, nil), filepath.Join(taken, "o"), "nothing of a store"},
		{place(t, bytes.Repeat([]byte("garbage "), 10_000)), filepath.Join(taken, "o"), "nothing of a store"},
		{foreign, filepath.Join(taken, "o"), "not one of Gearbolt's"},
		{newer, filepath.Join(taken, "o"), "newer Gearbolt"},
		{running, filepath.Join(taken, "o"), fmt.Sprintf("in use by the process with pid %d", os.Getpid())},
	} {
		_, err := Salvage(c.in, c.out, SalvageOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("salvage %s %s: %v, want %q", c.in, c.out, err, c.want)
		}
		if names, _ := os.ReadDir(taken); len(names) > 0 {
			t.Errorf("salvage %s %s left %v", c.in, c.out, names)
		}
	}
}

// TestSalvageKeepsWhatIsThere salvages where the name that the directory has at
// first belongs to a store, such as one that was salvaged before.
func TestSalvageKeepsWhatIsThere(t *testing.T) {
	dir := place(t, written(t))
	first := filepath.Join(dir, "out.new")
	if _, err := Salvage(dir, first, SalvageOptions{}); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(first, fileName))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Salvage(dir, filepath.Join(dir, "out"), SalvageOptions{}); err == nil || !strings.Contains(err.Error(), first) {
		t.Errorf("the error is %v", err)
	}
	if got, err := os.ReadFile(filepath.Join(first, fileName)); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the store in %s has changed: %v", first, err)
	}
	// But what a salvage left that was killed does not stand in the way.
	if err := os.Rename(filepath.Join(first, fileName), filepath.Join(first, unfinishedName)); err != nil {
		t.Fatal(err)
	}
	if _, err := Salvage(dir, filepath.Join(dir, "out"), SalvageOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(first); err == nil {
		t.Errorf("%s is still there", first)
	}
}

// A job of whose payload a part is lost is lost, and said to be.
func TestSalvageIncompletePayload(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	large := benchJob(7)
	large.Payload = bytes.Repeat([]byte("part "), 120_000)
	keep(t, s, put(benchJob(6)), put(large), put(benchJob(8)))
	s.Close()
	file, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	file[bytes.LastIndex(file, []byte("part part"))] ^= 1
	dir = place(t, file)
	if report, err := Check(dir, nil); err != nil || report.Clean() || !strings.Contains(fmt.Sprint(report.Damage), "job 1-7") {
		t.Errorf("the check says %+v, %v", report, err)
	}
	out := filepath.Join(dir, "out")
	report, err := Salvage(dir, out, SalvageOptions{})
	if err != nil || report.Jobs != 2 || len(report.Incomplete) != 1 || !strings.Contains(report.Incomplete[0], "1-7 of function") {
		t.Fatalf("%+v, %v", report, err)
	}
	if ids := keptIDs(t, out); len(ids) != 2 || ids["1-7"] {
		t.Errorf("kept are %v", ids)
	}
}

// TestScanBehindStalePage: a free page still says that it runs over into pages
// that have something else by now, which is not to be passed over.
func TestScanBehindStalePage(t *testing.T) {
	const pageSize = 1 << 12
	large, small := benchJob(1), benchJob(2)
	large.Payload = make([]byte, pageSize)
	file := make([]byte, 2*pageSize)
	file = append(file, leafPage(2, large, 2*pageSize)...)
	file = append(file[:3*pageSize], leafPage(3, small, pageSize)...)
	var found []string
	s := scan{
		pager: pager{bytes.NewReader(file), int64(len(file)), pageSize},
		skip:  func(uint64) bool { return false },
		tick:  func(uint64) error { return nil },
		found: func(r stored) error { found = append(found, nameOf(r.key)); return nil },
	}
	if err := s.all(); err != nil || len(found) != 1 || found[0] != small.ID.String() {
		t.Errorf("found %v: %v", found, err)
	}
}

// leafPage returns size bytes of pages from number id on, a leaf with job j.
func leafPage(id uint64, j *persist.Job, size int) []byte {
	key, value := encode(j)
	b := make([]byte, pageHeader+elementSize, size)
	order := binary.NativeEndian
	order.PutUint64(b, id)
	order.PutUint16(b[8:], pageLeaf)
	order.PutUint16(b[10:], 1)
	order.PutUint32(b[12:], uint32(size>>12-1))
	order.PutUint32(b[pageHeader+4:], elementSize)
	order.PutUint32(b[pageHeader+8:], uint32(len(key)))
	order.PutUint32(b[pageHeader+12:], uint32(len(value)))
	return append(append(b, key...), value...)[:size]
}
