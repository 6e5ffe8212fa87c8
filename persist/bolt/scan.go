package bolt

import "os"

// A scan looks for records in all leaf pages of a file that are not part of a
// tree, or are damaged parts of one: pages that nothing leads to any more, and
// pages that are free and still have in them what they had when they were not.
type scan struct {
	pager
	decoder decoder
	skip    func(id uint64) bool // tells a page of which all is known
	found   func(stored) error   // is handed each record whose checksum is right
	tick    func(pages uint64) error
}

func (s *scan) all() error {
	for id := uint64(2); id < s.count(); {
		taken := uint64(1)
		if !s.skip(id) {
			n := s.leaf(id)
			right, err := s.node(&n)
			if err != nil {
				return err
			}
			if right && n.span > 0 {
				// What runs over into other pages is values of jobs, which may
				// look like anything.
				taken = uint64(n.span / s.pageSize)
			}
		}
		if err := s.tick(taken); err != nil {
			return err
		}
		id += taken
	}
	return nil
}

// node hands on the records of n, and reports whether all of it is right. Where
// it is not, the pages that it once ran over into may be others by now.
func (s *scan) node(n *node) (right bool, err error) {
	right = n.err == nil
	for _, e := range unpacked(n.elements) {
		ok, err := s.element(n, e.element)
		if err != nil {
			return false, err
		}
		right = right && ok && e.err == nil
	}
	return right, nil
}

// leaf reads page id if it is, or was, the leaf of a tree.
func (s *scan) leaf(id uint64) node {
	if h, err := s.head(id); err != nil || h.flags != pageLeaf || h.count == 0 {
		return node{}
	}
	return s.pager.node(id)
}

func (s *scan) element(n *node, e element) (right bool, err error) {
	if e.bucket {
		_, inline, err := bucketIn(n.id, e.value)
		if err != nil || inline == nil {
			return err == nil, nil // its pages are come upon by themselves
		}
		return s.node(inline)
	}
	r := stored{page: n.id, key: e.key, value: e.value}
	if !r.classify(&s.decoder) {
		return false, nil
	}
	return true, s.found(r)
}

// guessPageSize sets the page size of a file without a valid meta page: that
// with which most pages are where they say.
func (p *pager) guessPageSize() {
	best := 0
	for size := int64(1 << 10); size <= 1<<16; size <<= 1 {
		q := pager{file: p.file, size: p.size, pageSize: size}
		hits := 0
		for id := uint64(2); id < q.count() && id < 1<<16; id++ {
			if _, err := q.head(id); err == nil {
				hits++
			}
		}
		if hits > best {
			best, p.pageSize = hits, size
		}
	}
	if best == 0 {
		p.pageSize = int64(os.Getpagesize())
	}
}
