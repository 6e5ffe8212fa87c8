package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"unsafe"
)

// A reference is a place in a store's file that leads to a page, other than
// those of the meta pages, which have a checksum.
type reference struct {
	at  int    // offset in the file
	to  uint64 // the page
	key []byte // at which what hangs there begins; nil: not known
}

// references returns all of the tree of a file that is not damaged.
func references(t *testing.T, file []byte) (all []reference) {
	t.Helper()
	m, _, err := currentMeta(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	p := pager{bytes.NewReader(file), int64(len(file)), m.pageSize}
	for todo := []uint64{m.root}; len(todo) > 0; todo = todo[1:] {
		n := p.node(todo[0])
		for i, e := range n.elements {
			r := reference{at: int(n.id)*int(m.pageSize) + pageHeader + i*elementSize + 8, to: e.child, key: e.key}
			if n.flags == pageLeaf {
				if !e.bucket || binary.NativeEndian.Uint64(e.value) == 0 {
					continue
				}
				in := int(uintptr(unsafe.Pointer(&e.value[0])) - uintptr(unsafe.Pointer(&n.head[0])))
				r = reference{at: int(n.id)*int(m.pageSize) + in, to: binary.NativeEndian.Uint64(e.value)}
			}
			all, todo = append(all, r), append(todo, r.to)
		}
	}
	return all
}

// stale returns the pages that once stood, or may have stood, where r leads to.
func (r reference) stale(file []byte) (pages []uint64) {
	p := pager{bytes.NewReader(file), int64(len(file)), int64(os.Getpagesize())}
	for id := uint64(2); id < p.count(); id++ {
		n := p.node(id)
		if id != r.to && n.err == nil && len(n.elements) > 0 && (r.key == nil || bytes.Equal(n.elements[0].key, r.key)) {
			pages = append(pages, id)
		}
	}
	return pages
}

// TestStalePage lets references lead to an older copy of their page, which is
// still in a free one and has records with right checksums: a start is refused,
// the check tells, and salvage finds what the right page has.
func TestStalePage(t *testing.T) {
	tr := lived(t)
	type swap struct {
		reference
		by uint64
	}
	var swaps []swap
	for _, r := range references(t, tr.file) {
		for _, id := range r.stale(tr.file) {
			swaps = append(swaps, swap{r, id})
		}
	}
	rand.Shuffle(len(swaps), func(i, j int) { swaps[i], swaps[j] = swaps[j], swaps[i] })
	all, refused := len(swaps), 0
	swaps = swaps[:min(all, *mutantsFlag/10)]
	for _, s := range swaps {
		file := bytes.Clone(tr.file)
		binary.NativeEndian.PutUint64(file[s.at:], s.by)
		noticed, err := tryStale(t, tr, file)
		if err != nil {
			t.Errorf("page %d in the place of %d: %v", s.by, s.to, err)
		}
		if noticed {
			refused++
		}
	}
	if t.Logf("of %d such files %d were tried, and %d refused", all, len(swaps), refused); refused == 0 {
		t.Error("nothing was wrong with any of them")
	}
}

// tryStale checks, opens and salvages a file with a stale page in it. If the
// page has the same records as the right one, there is nothing to notice.
func tryStale(t *testing.T, tr *truth, file []byte) (noticed bool, err error) {
	dir := place(t, file)
	defer os.RemoveAll(dir)
	report, err := Check(dir, nil)
	if err != nil {
		return false, err
	}
	switch got, err := contents(dir); {
	case err != nil && report.Clean():
		return true, fmt.Errorf("the check passed what does not open: %w", err)
	case err == nil && (!report.Clean() || !equal(got, tr.live)):
		return false, fmt.Errorf("the store opens with %d things, not %d; clean: %v", len(got), len(tr.live), report.Clean())
	case err == nil:
		return false, nil
	}
	out := filepath.Join(dir, "out")
	if _, err := Salvage(dir, out, SalvageOptions{}); err != nil {
		return true, err
	}
	got, err := contents(out)
	if err != nil {
		return true, err
	}
	return true, tr.judge(file, got)
}
