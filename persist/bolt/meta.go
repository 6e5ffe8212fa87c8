package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// A bbolt file begins with two pages that each describe the whole of it. A
// transaction writes the one that its number's parity names, after all else.
const (
	pageHeader = 16 // id:8 flags:2 count:2 overflow:4, in the machine's byte order
	metaSize   = pageHeader + 64

	metaMagic   = 0xED0CDAED
	metaVersion = 2

	noFreelist = ^uint64(0) // in place of the page of the list of free pages
)

// A meta is what a meta page says of the file.
type meta struct {
	pageSize int64
	root     uint64 // page of the tree of buckets
	sequence uint64 // of the tree of buckets: copyMark, see copy.go
	freelist uint64 // page of the list of free pages, or noFreelist
	pages    uint64 // how many pages are in use or free; later ones are nothing yet
	txid     uint64
}

// readMeta reads the meta page that begins at offset off.
func readMeta(f io.ReaderAt, off int64) (meta, error) {
	var b [metaSize]byte
	if _, err := f.ReadAt(b[:], off); err != nil {
		return meta{}, err
	}
	body := b[pageHeader:]
	u32, u64 := binary.NativeEndian.Uint32, binary.NativeEndian.Uint64
	sum := fnv.New64a()
	sum.Write(body[:56])
	switch {
	case u32(body) != metaMagic:
		return meta{}, errors.New("not a meta page of bbolt")
	case u32(body[4:]) != metaVersion:
		return meta{}, fmt.Errorf("version %d of bbolt's format is unknown", u32(body[4:]))
	case u64(body[56:]) != sum.Sum64():
		return meta{}, errors.New("a checksum error")
	}
	m := meta{int64(u32(body[8:])), u64(body[16:]), u64(body[24:]), u64(body[32:]), u64(body[40:]), u64(body[48:])}
	if m.pageSize < 1<<10 || m.pageSize > 1<<24 || m.pageSize&(m.pageSize-1) != 0 {
		return meta{}, fmt.Errorf("a page size of %d bytes", m.pageSize)
	}
	return m, nil
}

// currentMeta returns what the newer of the two valid meta pages says, and why
// the other one is not valid, if so.
func currentMeta(f io.ReaderAt) (m meta, other, err error) {
	m0, err0 := readMeta(f, 0)
	m1, err1 := secondMeta(f, m0.pageSize)
	switch {
	case err0 != nil && err1 != nil:
		return meta{}, nil, fmt.Errorf("neither of its two meta pages is valid (%w; %w)", err0, err1)
	case err1 != nil:
		return m0, err1, nil
	case err0 != nil:
		return m1, err0, nil
	case m1.txid > m0.txid:
		return m1, nil, nil
	}
	return m0, nil, nil
}

// secondMeta reads the second meta page, and looks for it if the first one,
// which tells the page size, is not valid (pageSize 0).
func secondMeta(f io.ReaderAt, pageSize int64) (meta, error) {
	if pageSize != 0 {
		return readMeta(f, pageSize)
	}
	for pageSize = 1 << 10; pageSize <= 1<<24; pageSize <<= 1 {
		if m, err := readMeta(f, pageSize); err == nil && m.pageSize == pageSize {
			return m, nil
		}
	}
	return meta{}, errors.New("the second one is not to be found")
}
