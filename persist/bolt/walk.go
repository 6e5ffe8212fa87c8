package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// A Damage is something in a store's file that is not as it was written.
type Damage struct {
	Page uint64 `json:"page"` // of the file, from 0
	What string `json:"what"`
	Lost string `json:"lost"` // what cannot be read because of it; "" if nothing
}

func (d Damage) String() string {
	if d.Lost == "" {
		return d.What
	}
	return d.What + "; lost: " + d.Lost
}

// A span is a range of keys, from one up to but not including the other. A nil
// to is behind all keys.
type span struct{ from, to []byte }

func (s span) has(key []byte) bool {
	return bytes.Compare(key, s.from) >= 0 && (s.to == nil || bytes.Compare(key, s.to) < 0)
}

// A walk goes through one tree of a file, as far as that can be read.
type walk struct {
	pager
	meta    meta
	decoder decoder
	found   func(stored) error // is handed each record that is right
	tick    func(pages uint64) error
	stop    error // of found or tick

	seen    []uint64        // a bit for each page that was met
	suspect map[uint64]bool // pages with damage in them
	roots   [kinds]*spot    // where the buckets are
	format  uint64          // of the file; 0: not known
	kept    *ledger         // of the file, if it has one
	ledger  ledger          // of what was found

	strangers int // buckets that no store has

	branches, leaves, over uint64 // pages that were met

	damage []Damage
	lost   [kinds][]span // the keys that may have been in what cannot be read
}

// A spot is where a part of the tree hangs.
type spot struct {
	span         // of the keys that may be there
	kind  kind   // of the records
	job   []byte // whose parts are there, below kindParts
	depth int

	root   uint64 // the page, or
	inline *node  // what stands inside of another one
}

// holdsBuckets reports whether the elements there are buckets.
func (p *spot) holdsBuckets() bool { return p.kind == kindRoot || p.kind == kindParts && p.job == nil }

// maxDepth is more than any tree has: a page that is part of what hangs below
// it must not lead down for ever.
const maxDepth = 48

func newWalk(p pager, m meta, found func(stored) error) *walk {
	p.pageSize = m.pageSize
	return &walk{
		pager: p, meta: m, found: found,
		tick:    func(uint64) error { return nil },
		seen:    make([]uint64, p.count()/64+1),
		suspect: make(map[uint64]bool),
	}
}

// all goes through the whole tree: first through the buckets that say what
// belongs to a job, and then through the jobs. Its error is one of found or
// tick.
func (w *walk) all() error {
	w.tree(&spot{kind: kindRoot, root: w.meta.root})
	for k := kindMeta; k < kinds; k++ {
		switch {
		case w.stop != nil:
			return w.stop
		case w.roots[k] != nil:
			w.tree(w.roots[k])
		case k != kindParts || w.format != 1: // which had none
			w.lose(w.meta.root, k, span{}, fmt.Sprintf("the file has no bucket %q", k))
		}
	}
	w.audit()
	return w.stop
}

// whole reports whether nothing was wrong with the tree.
func (w *walk) whole() bool { return len(w.damage) == 0 }

// lose notes what is wrong with a page, because of which records of a kind in a
// range are lost.
func (w *walk) lose(page uint64, k kind, s span, what string) {
	w.damage = append(w.damage, Damage{Page: page, What: what, Lost: k.describe(s)})
	w.suspect[page] = true
	if k != kindRoot {
		w.lost[k] = append(w.lost[k], s)
		return
	}
	for k := range w.lost {
		w.lost[k] = append(w.lost[k], span{})
	}
}

// mayHave reports whether a record that was not found may have been in what
// could not be read.
func (w *walk) mayHave(k kind, key []byte) bool {
	return slices.ContainsFunc(w.lost[k], func(s span) bool { return s.has(key) })
}

// met reports whether page id is part of the tree.
func (w *walk) met(id uint64) bool {
	return id/64 < uint64(len(w.seen)) && w.seen[id/64]&(1<<(id%64)) != 0
}

// tree goes through what hangs at p.
func (w *walk) tree(p *spot) {
	n := w.enter(p)
	if n.err != nil {
		w.lose(n.id, p.kind, p.span, n.err.Error())
	}
	switch {
	case w.stop != nil:
	case n.flags == pageBranch:
		w.branch(p, &n)
	default:
		w.leaf(p, &n)
	}
}

// enter reads the node at p and notes its pages as used.
func (w *walk) enter(p *spot) node {
	if p.inline != nil {
		return *p.inline
	}
	if p.depth > maxDepth {
		return node{page: page{id: p.root}, err: fmt.Errorf("page %d is %d levels below the root", p.root, p.depth)}
	}
	n := w.node(p.root)
	if n.err != nil && n.elements == nil {
		return n
	}
	last := n.id + uint64(n.span/w.pageSize) - 1
	if last >= w.meta.pages {
		n.err = fmt.Errorf("page %d is behind the last of %d pages", last, w.meta.pages)
	}
	if n.err != nil {
		last = n.id // how far it goes may be what is wrong: nothing but its head is known to be its own
	}
	for i := n.id; i <= last; i++ {
		if w.met(i) {
			n.elements = nil
			n.err = fmt.Errorf("page %d is used twice", i)
			w.astray(p)
			return n
		}
		w.seen[i/64] |= 1 << (i % 64)
	}
	if n.flags == pageBranch {
		w.branches++
	} else {
		w.leaves++
	}
	w.over += last - n.id
	w.stop = w.tick(last - n.id + 1)
	return n
}

// errOrder is what is wrong with a key that stands where it does not belong.
var errOrder = errors.New("its keys are not in order")

// branch goes through the pages below n. When n is damaged it does not: where
// one of them belongs is not known then, and what they have is to be looked for.
func (w *walk) branch(p *spot, n *node) {
	if n.err != nil {
		return
	}
	for i := 1; i < len(n.elements); i++ {
		if key := n.elements[i].key; bytes.Compare(n.elements[i-1].key, key) >= 0 || !p.has(key) {
			w.lose(n.id, p.kind, p.span, fmt.Sprintf("page %d: %v", n.id, errOrder))
			return
		}
	}
	for i, e := range n.elements {
		below := *p
		below.depth, below.root = p.depth+1, e.child
		if i > 0 {
			below.from = e.key
		}
		if i+1 < len(n.elements) {
			below.to = n.elements[i+1].key
		}
		if w.tree(&below); w.stop != nil {
			return
		}
	}
}

// leaf hands on the records of n. Around those that are not right, everything
// up to their neighbours may be lost, as their keys need not be right either.
func (w *walk) leaf(p *spot, n *node) {
	bad, gap := "", p.span
	lose := func(to []byte) {
		if gap.to = to; bad != "" && n.err == nil {
			w.lose(n.id, p.kind, gap, fmt.Sprintf("page %d: %s", n.id, bad))
		}
		bad = ""
	}
	var before []byte
	for _, e := range unpacked(n.elements) {
		err := errOrder
		if n.err != nil || p.has(e.key) && bytes.Compare(before, e.key) < 0 {
			err = w.unpackedElement(p, n, e)
		} else if w.isRight(e) {
			w.astray(p)
		}
		switch {
		case w.stop != nil:
			return
		case err == nil:
			lose(e.key)
			before, gap.from = e.key, append(bytes.Clone(e.key), 0)
		case bad == "":
			bad = fmt.Sprintf("%s: %v", p.kind.name(e.key), err)
		}
	}
	lose(p.to)
}

// unpackedElement takes a record of a pack, or another element of a leaf. Where
// the pack is damaged, some of it may be lost even if the record is right.
func (w *walk) unpackedElement(p *spot, n *node, e unpackedElement) error {
	if e.value == nil {
		return e.err
	}
	if err := w.element(p, n, e.element); err != nil {
		return err
	}
	return e.err
}

// element takes one element of a leaf.
func (w *walk) element(p *spot, n *node, e element) error {
	if e.bucket != p.holdsBuckets() {
		return fmt.Errorf("%w: not what should be there", errDamaged)
	}
	if e.bucket {
		return w.bucket(p, n, e)
	}
	r := stored{kind: p.kind, page: n.id, key: e.key, value: e.value}
	if err := r.verify(&w.decoder); err != nil {
		return err
	}
	if p.job != nil && !bytes.HasPrefix(e.key, p.job) {
		return errOrder
	}
	w.note(r)
	w.stop = w.found(r)
	return nil
}

// bucket takes an element that is a bucket: one of the root's, to be gone
// through later, or that of the parts of a job.
func (w *walk) bucket(p *spot, n *node, e element) error {
	root, inline, err := bucketIn(n.id, e.value)
	if err != nil {
		return err
	}
	below := &spot{root: root, inline: inline, depth: p.depth + 1}
	if p.kind == kindParts {
		if _, err := decodeKey(e.key); err != nil {
			return err
		}
		below.kind, below.job, below.span = kindParts, e.key, span{e.key, after(e.key)}
		if w.stop = w.found(stored{kind: kindParts, page: n.id, key: e.key}); w.stop == nil {
			w.tree(below)
		}
		return nil
	}
	for k := kindMeta; k < kinds; k++ {
		if k.String() == string(e.key) {
			below.kind = k
			w.roots[k] = below
			return nil
		}
	}
	w.strangers++
	return fmt.Errorf("%w: no bucket of a store", errDamaged)
}

// after returns the first key that is behind all that begin with key.
func after(key []byte) []byte {
	next := bytes.Clone(key)
	for i := len(next) - 1; i >= 0; i-- {
		if next[i]++; next[i] != 0 {
			return next[:i+1]
		}
	}
	return nil
}
