package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Here is what a walk looks at beyond pages and records: whether the pages are
// the right ones. An older copy of a page has nothing wrong in itself.

// note takes from a record what the walk itself has to know.
func (w *walk) note(r stored) {
	switch {
	case r.kind != kindMeta:
		w.ledger.add(r.kind, r.key, r.value)
	case bytes.Equal(r.key, keyFormat):
		w.format = r.number
	case bytes.Equal(r.key, keyLedger):
		if l, err := decodeLedger(r.value); err == nil {
			w.kept = &l
		}
	}
}

// audit compares what was found with the ledger. When something is lost they
// differ anyway. If they differ without that, one of the pages is the wrong one,
// and any record may be lost.
func (w *walk) audit() {
	if w.stop != nil || !w.whole() || w.format < formatLedger {
		return
	}
	err := fmt.Errorf("%w: it has no ledger", errDamaged)
	if w.kept != nil {
		err = w.kept.compare(w.ledger)
	}
	if err != nil {
		w.lose(w.meta.root, kindRoot, span{}, err.Error())
	}
}

// astray notes that the page at p is not the right one. The one above it may be
// an older copy, then, and no more of the tree's.
func (w *walk) astray(p *spot) { w.lost[p.kind] = append(w.lost[p.kind], span{}) }

// isRight reports whether a record is right, though in the wrong place.
func (w *walk) isRight(e unpackedElement) bool {
	r := stored{key: e.key, value: e.value}
	return !e.bucket && e.value != nil && r.classify(&w.decoder)
}

// freelist checks the list of free pages, if the file has one, and returns how
// many pages that takes.
func (w *walk) freelist() (pages uint64, err error) {
	id := w.meta.freelist
	if id == noFreelist {
		return 0, nil
	}
	if id < 2 || id >= w.count() {
		return 0, fmt.Errorf("the list of free pages would be page %d of %d", id, w.count())
	}
	head := make([]byte, pageHeader+8)
	if _, err := w.file.ReadAt(head, int64(id)*w.pageSize); err != nil {
		return 0, fmt.Errorf("page %d cannot be read: %w", id, err)
	}
	pages = 1 + uint64(binary.NativeEndian.Uint32(head[12:]))
	n, start := uint64(binary.NativeEndian.Uint16(head[10:])), int64(pageHeader)
	if n == 0xFFFF { // then the first entry is the count
		n, start = binary.NativeEndian.Uint64(head[pageHeader:]), pageHeader+8
	}
	switch {
	case binary.NativeEndian.Uint64(head) != id || binary.NativeEndian.Uint16(head[8:]) != pageFreelist,
		pages > w.count()-id || n > pages*uint64(w.pageSize)/8:
		return 0, fmt.Errorf("page %d is not the list of free pages that it should be", id)
	}
	list := make([]byte, 8*n)
	if _, err := w.file.ReadAt(list, int64(id)*w.pageSize+start); err != nil {
		return 0, fmt.Errorf("page %d cannot be read: %w", id, err)
	}
	for ; len(list) > 0; list = list[8:] {
		if free := binary.NativeEndian.Uint64(list); free < 2 || free >= w.meta.pages || w.met(free) {
			return pages, fmt.Errorf("page %d says that page %d is free, which it is not", id, free)
		}
	}
	return pages, nil
}
