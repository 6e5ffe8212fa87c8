package bolt

import (
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
	return t.walk(m.root)
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

// walk checks the tree below page id.
func (t *tree) walk(id uint64) error {
	p, err := t.open(id)
	if err != nil {
		return err
	}
	if need := p.elements(); need > int64(len(p.head)) && need <= p.span {
		p.head = make([]byte, need)
		if _, err := t.file.ReadAt(p.head, int64(id)*t.pageSize); err != nil {
			return err
		}
	}
	if p.flags == pageBranch {
		return t.branch(p)
	}
	return t.leaf(p, int64(id)*t.pageSize)
}

func (t *tree) branch(p page) error {
	next := p.elements()
	if p.count == 0 || next > p.span {
		return fmt.Errorf("page %d has %d branches", p.id, p.count)
	}
	for off := int64(pageHeader); off < p.elements(); off += elementSize {
		e := p.head[off:]
		pos, ksize := u32(e), u32(e[4:])
		if err := p.place(off+pos, next, ksize, 0); err != nil {
			return err
		}
		next += ksize
		if err := t.walk(binary.NativeEndian.Uint64(e[8:])); err != nil {
			return err
		}
	}
	return nil
}

// leaf checks a leaf page that begins at offset start in the file.
func (t *tree) leaf(p page, start int64) error {
	next := p.elements()
	if p.flags != pageLeaf || next > p.span {
		return fmt.Errorf("page %d is no page of a tree: its flags are %#x, its elements %d", p.id, p.flags, p.count)
	}
	for off := int64(pageHeader); off < p.elements(); off += elementSize {
		e := p.head[off:]
		flags, pos, ksize, vsize := u32(e), u32(e[4:]), u32(e[8:]), u32(e[12:])
		if err := p.place(off+pos, next, ksize, vsize); err != nil {
			return err
		}
		if flags&^elementBucket != 0 {
			return fmt.Errorf("page %d has an element of unknown kind %#x", p.id, flags)
		}
		if flags == elementBucket {
			if err := t.bucket(p.id, start+next+ksize, vsize); err != nil {
				return err
			}
		}
		next += ksize + vsize
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
		return t.walk(root)
	}
	if size < bucketHeader+pageHeader {
		return fmt.Errorf("page %d has a bucket of %d bytes", in, size)
	}
	return t.leaf(newPage(in, b[bucketHeader:], size-bucketHeader), start+bucketHeader)
}
