package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// The flags of a page, and of an element of a leaf page whose value is a bucket.
const (
	pageBranch   = 0x01
	pageLeaf     = 0x02
	pageFreelist = 0x10

	elementBucket = 0x01
	elementSize   = 16 // branch: pos:4 ksize:4 page:8; leaf: flags:4 pos:4 ksize:4 vsize:4
	bucketHeader  = 16 // root:8 sequence:8; root 0: the bucket's only page follows
)

// checkShape follows every reference of the file's tree and returns an error
// if one leads where nothing can be.
//
// bbolt believes what it reads. A reference beyond the file's end would kill
// the process with SIGBUS, and a page of the wrong kind makes bbolt panic in a
// goroutine where nobody can recover it. What this passes, bbolt can walk
// through; whether the records are right, their checksums tell.
func checkShape(f io.ReaderAt, size int64, m meta) error {
	if need := int64(m.pages) * m.pageSize; m.pages > 1<<40 || size < need {
		return fmt.Errorf("it is cut off: %d bytes where %d are in use", size, need)
	}
	t := tree{file: f, meta: m, seen: make([]uint64, m.pages/64+1)}
	if m.freelist != noFreelist {
		if err := t.freelist(m.freelist); err != nil {
			return err
		}
	}
	_, err := t.walk(m.root, nil, nil)
	return err
}

// A tree is a file on its way through checkShape.
type tree struct {
	file io.ReaderAt
	meta
	seen []uint64 // one bit for each page that was met
}

// A page is the header and the elements of a page of the tree.
type page struct {
	id    uint64
	flags uint16
	count int64
	span  int64 // its length in bytes, with the pages that it runs over into
	head  []byte
}

// open reads page id, which must not have been met before.
func (t *tree) open(id uint64) (page, error) {
	if id < 2 || id >= t.pages {
		return page{}, fmt.Errorf("it refers to page %d of %d", id, t.pages)
	}
	b := make([]byte, t.pageSize)
	if _, err := t.file.ReadAt(b, int64(id)*t.pageSize); err != nil {
		return page{}, err
	}
	overflow := uint64(binary.NativeEndian.Uint32(b[12:]))
	if got := binary.NativeEndian.Uint64(b); got != id || id+overflow >= t.pages {
		return page{}, fmt.Errorf("page %d says that it is page %d and %d more", id, got, overflow)
	}
	for i := id; i <= id+overflow; i++ {
		if t.seen[i/64]&(1<<(i%64)) != 0 {
			return page{}, fmt.Errorf("page %d is used twice", i)
		}
		t.seen[i/64] |= 1 << (i % 64)
	}
	return newPage(id, b, int64(overflow+1)*t.pageSize), nil
}

func newPage(id uint64, b []byte, span int64) page {
	return page{id, binary.NativeEndian.Uint16(b[8:]), int64(binary.NativeEndian.Uint16(b[10:])), span, b}
}

func (t *tree) freelist(id uint64) error {
	p, err := t.open(id)
	if err != nil {
		return err
	}
	n := p.count + 1
	if p.count == 0xFFFF { // then the first entry is the count
		n = int64(min(binary.NativeEndian.Uint64(p.head[pageHeader:]), 1<<40)) + 2
	}
	if p.flags != pageFreelist || pageHeader+8*(n-1) > p.span {
		return fmt.Errorf("page %d is not the list of free pages that it should be", id)
	}
	return nil
}

// walk checks the tree below page id, whose keys are to be low at least and less
// than high, unless these are nil, and returns the last of them.
func (t *tree) walk(id uint64, low, high []byte) (last []byte, err error) {
	p, err := t.open(id)
	if err != nil {
		return nil, err
	}
	start := int64(id) * t.pageSize
	if need := p.elements(); need > int64(len(p.head)) && need <= p.span {
		p.head = make([]byte, need)
		if _, err := t.file.ReadAt(p.head, start); err != nil {
			return nil, err
		}
	}
	if p.flags == pageBranch {
		return t.branch(p, start, low, high)
	}
	return t.leaf(p, start, low, high)
}

// A child is an element of a branch page.
type child struct {
	key []byte
	id  uint64
}

// children checks a branch page that begins at offset start in the file, and
// returns its elements.
func (t *tree) children(p page, start int64) ([]child, error) {
	next := p.elements()
	if p.count == 0 || next > p.span {
		return nil, fmt.Errorf("page %d has %d branches", p.id, p.count)
	}
	all := make([]child, 0, p.count)
	for off := int64(pageHeader); off < p.elements(); off += elementSize {
		e := p.head[off:]
		pos, ksize := u32(e), u32(e[4:])
		if err := p.place(off+pos, next, ksize, 0); err != nil {
			return nil, err
		}
		key, err := t.key(p, start, next, ksize)
		if err != nil {
			return nil, err
		}
		all = append(all, child{key, binary.NativeEndian.Uint64(e[8:])})
		next += ksize
	}
	return all, nil
}

func (t *tree) branch(p page, start int64, low, high []byte) (last []byte, err error) {
	children, err := t.children(p, start)
	last = low
	for i, c := range children {
		if err := p.order(i, last, c.key, high); err != nil {
			return nil, err
		}
		below := high
		if i+1 < len(children) {
			below = children[i+1].key
		}
		if last, err = t.walk(c.id, c.key, below); err != nil {
			return nil, err
		}
	}
	return last, err
}

// leaf checks a leaf page that begins at offset start in the file.
func (t *tree) leaf(p page, start int64, low, high []byte) (last []byte, err error) {
	next := p.elements()
	if p.flags != pageLeaf || next > p.span {
		return nil, fmt.Errorf("page %d is no page of a tree: its flags are %#x, its elements %d", p.id, p.flags, p.count)
	}
	last = low
	for i := range int(p.count) {
		off := int64(pageHeader + i*elementSize)
		e := p.head[off:]
		flags, pos, ksize, vsize := u32(e), u32(e[4:]), u32(e[8:]), u32(e[12:])
		if err := p.place(off+pos, next, ksize, vsize); err != nil {
			return nil, err
		}
		key, err := t.key(p, start, next, ksize)
		if err != nil {
			return nil, err
		}
		if err := p.order(i, last, key, high); err != nil {
			return nil, err
		}
		if err := t.value(p.id, flags, start+next+ksize, vsize); err != nil {
			return nil, err
		}
		last, next = key, next+ksize+vsize
	}
	return last, nil
}

// value checks what stands at offset start in the file, which only a bucket is
// looked at for.
func (t *tree) value(in uint64, flags, start, size int64) error {
	if flags&^elementBucket != 0 {
		return fmt.Errorf("page %d has an element of unknown kind %#x", in, flags)
	}
	if flags == elementBucket {
		return t.bucket(in, start, size)
	}
	return nil
}

// key returns the size bytes of a key at off in page p, which begins at offset
// start in the file.
func (t *tree) key(p page, start, off, size int64) ([]byte, error) {
	if off+size <= int64(len(p.head)) {
		return p.head[off : off+size], nil
	}
	key := make([]byte, size)
	_, err := t.file.ReadAt(key, start+off)
	return key, err
}

// order checks that the key of element i comes after the one before, or not
// before what the page begins with, and before what comes after the page.
func (p page) order(i int, before, key, high []byte) error {
	c := bytes.Compare(before, key)
	if c > 0 || c == 0 && i > 0 || high != nil && bytes.Compare(key, high) >= 0 {
		return fmt.Errorf("page %d has a key that is out of order", p.id)
	}
	return nil
}

func u32(b []byte) int64 { return int64(binary.NativeEndian.Uint32(b)) }

// elements returns where the elements of p end and the first key begins.
func (p page) elements() int64 { return pageHeader + p.count*elementSize }

// place checks that a key and its value lie at offset want, where those before
// end. bbolt leaves no gaps; so a count or a length that has changed shows.
func (p page) place(got, want, ksize, vsize int64) error {
	if ksize == 0 || got != want || got+ksize+vsize > p.span {
		return fmt.Errorf("page %d has a key or value where none can be", p.id)
	}
	return nil
}

// bucket checks the bucket whose size bytes begin at offset start.
func (t *tree) bucket(in uint64, start, size int64) error {
	if size < bucketHeader || size > bucketHeader+t.pageSize {
		return fmt.Errorf("page %d has a bucket of %d bytes", in, size)
	}
	b := make([]byte, size)
	if _, err := t.file.ReadAt(b, start); err != nil {
		return err
	}
	if root := binary.NativeEndian.Uint64(b); root != 0 {
		_, err := t.walk(root, nil, nil)
		return err
	}
	if size < bucketHeader+pageHeader {
		return fmt.Errorf("page %d has a bucket of %d bytes", in, size)
	}
	_, err := t.leaf(newPage(in, b[bucketHeader:], size-bucketHeader), start+bucketHeader, nil, nil)
	return err
}
