package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errDamaged is why a record is not believed.
var errDamaged = errors.New("damaged record")

// seal fills in the checksum of a value. unseal returns what follows it.
func seal(key, value []byte) {
	binary.BigEndian.PutUint32(value, checksum(key, value[crcSize:]))
}

func unseal(key, value []byte) ([]byte, error) {
	if len(value) < crcSize {
		return nil, fmt.Errorf("%w: %d bytes", errDamaged, len(value))
	}
	if binary.BigEndian.Uint32(value) != checksum(key, value[crcSize:]) {
		return nil, fmt.Errorf("%w: its checksum is wrong", errDamaged)
	}
	return value[crcSize:], nil
}

func checksum(key, body []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, body)
}

// A reader takes a value apart. When too little is left it sets short and
// returns zeros.
type reader struct {
	rest  []byte
	short bool
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.rest, r.short = nil, true
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) string() []byte {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.rest, r.short = nil, true
		return nil
	}
	r.take(uint64(size))
	return r.take(n)
}
