package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A pager reads the pages of a file of which any may be damaged. It reads the
// file itself and maps nothing: a file that is cut off under a mapping kills
// the process, and a disk that cannot read a block does too.
type pager struct {
	file     io.ReaderAt
	size     int64 // bytes of the file
	pageSize int64
}

// An element is a key of a page and what stands under it.
type element struct {
	key, value []byte // the value of a leaf's element
	child      uint64 // the page below a branch's element
	bucket     bool   // the value is a bucket
}

// A node is a page of the tree with all that it runs over into, or the page
// inside a bucket that is too small for one of its own.
type node struct {
	page
	elements []element // those that can be told; all of them if err is nil
	err      error     // what is wrong with the page
}

// count is how many pages the file has room for.
func (p *pager) count() uint64 { return uint64(p.size / p.pageSize) }

// head reads the header of page id. It fails unless the page is one of a tree.
func (p *pager) head(id uint64) (page, error) {
	if id < 2 || id >= p.count() {
		return page{}, fmt.Errorf("the file has no page %d", id)
	}
	var b [pageHeader]byte
	if _, err := p.file.ReadAt(b[:], int64(id)*p.pageSize); err != nil {
		return page{}, fmt.Errorf("page %d cannot be read: %w", id, err)
	}
	overflow := uint64(binary.NativeEndian.Uint32(b[12:]))
	if got := binary.NativeEndian.Uint64(b[:]); got != id || overflow >= p.count()-id {
		return page{}, fmt.Errorf("page %d says that it is page %d and %d more", id, got, overflow)
	}
	h := newPage(id, b[:], int64(overflow+1)*p.pageSize)
	if h.flags != pageBranch && h.flags != pageLeaf {
		return page{}, fmt.Errorf("page %d is no page of a tree: its flags are %#x", id, h.flags)
	}
	return h, nil
}

// node reads page id. What can be read of a page that is not right is in the
// node; its bytes are the node's own.
func (p *pager) node(id uint64) node {
	h, err := p.head(id)
	if err != nil {
		return node{page: page{id: id, span: p.pageSize}, err: err}
	}
	start := int64(id) * p.pageSize
	h.head = make([]byte, min(max(h.elements(), p.pageSize), h.span))
	if _, err := p.file.ReadAt(h.head, start); err != nil {
		return node{page: h, err: fmt.Errorf("page %d cannot be read: %w", id, err)}
	}
	if need := h.used(); need > int64(len(h.head)) {
		h.head = append(h.head, make([]byte, need-int64(len(h.head)))...)
		if _, err := p.file.ReadAt(h.head, start); err != nil {
			return node{page: h, err: fmt.Errorf("page %d cannot be read: %w", id, err)}
		}
	}
	n := h.parse()
	if need := p.round(h.used()); n.err == nil && need != h.span {
		n.err = fmt.Errorf("page %d takes up %d bytes where %d are needed", id, h.span, need)
	}
	return n
}

// round returns how many bytes the pages have that n bytes need.
func (p *pager) round(n int64) int64 { return (n + p.pageSize - 1) / p.pageSize * p.pageSize }

// used returns where the last value of p ends that is inside of p, going by
// those elements that p.head has.
func (p page) used() (end int64) {
	end = p.elements()
	for off := int64(pageHeader); off < p.elements() && off+elementSize <= int64(len(p.head)); off += elementSize {
		_, _, to := p.extent(off)
		if to <= p.span {
			end = max(end, to)
		}
	}
	return end
}

// extent returns where the key and the value of the element at off are: from
// one to the next, and from there to the end.
func (p page) extent(off int64) (key, value, end int64) {
	e := p.head[off:]
	if p.flags == pageBranch {
		key = off + u32(e)
		value = key + u32(e[4:])
		return key, value, value
	}
	key = off + u32(e[4:])
	value = key + u32(e[8:])
	return key, value, value + u32(e[12:])
}

// errGap is what is wrong with a page whose keys and values do not follow each
// other: bbolt leaves no gaps, so a count or a length has changed.
var errGap = errors.New("a key or value lies where none can be")

// parse takes a page apart that p.head has all of. Where one element makes no
// sense, the others may: their records' checksums tell.
func (p page) parse() node {
	n := node{page: p}
	next := p.elements()
	if next > int64(len(p.head)) || p.flags == pageBranch && p.count == 0 {
		n.err = fmt.Errorf("page %d has %d elements", p.id, p.count)
	}
	for off := int64(pageHeader); off < p.elements() && off+elementSize <= int64(len(p.head)); off += elementSize {
		key, value, end := p.extent(off)
		if key != next || value == key || end > p.span {
			n.err = fmt.Errorf("page %d: %w", p.id, errGap)
		}
		next = end
		if end > int64(len(p.head)) || key < pageHeader {
			continue
		}
		e := element{key: p.head[key:value:value], value: p.head[value:end:end]}
		if p.flags == pageBranch {
			e.child = binary.NativeEndian.Uint64(p.head[off+8:])
		} else if kind := u32(p.head[off:]); kind == elementBucket {
			e.bucket = true
		} else if kind != 0 {
			n.err = fmt.Errorf("page %d has an element of unknown kind %#x", p.id, kind)
		}
		n.elements = append(n.elements, e)
	}
	return n
}

// bucketIn returns the page of the bucket that stands in value, or the node that
// is inside of it; in is the page that value is of.
func bucketIn(in uint64, value []byte) (root uint64, inline *node, err error) {
	if len(value) < bucketHeader {
		return 0, nil, fmt.Errorf("page %d has a bucket of %d bytes", in, len(value))
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return root, nil, nil
	}
	body := value[bucketHeader:]
	if len(body) < pageHeader {
		return 0, nil, fmt.Errorf("page %d has a bucket of %d bytes", in, len(value))
	}
	n := newPage(in, body, int64(len(body))).parse()
	if n.flags != pageLeaf {
		n.err = fmt.Errorf("page %d has a bucket whose page has the flags %#x", in, n.flags)
	}
	return 0, &n, nil
}
