package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"
)

const (
	// largePayload is the largest payload, in bytes, that is kept in the job's
	// own record. When jobs come and go one by one, bbolt writes such a record
	// some seven times, as often as its neighbours change (BenchmarkLarge).
	// Parts it writes once, and a page more.
	largePayload = 32 << 10

	// partSize is the length of all parts but the last. Up to four of them lie
	// in one run of pages, which must be found in the file in one piece.
	partSize = 256 << 10

	partKeySize = keySize + 4
)

// parts is what the record of a job says of a payload that is kept in parts.
type parts struct {
	length uint64 // bytes, of all together
	count  uint32
}

func isLarge(payload []byte) bool { return len(payload) > largePayload }

// partsOf returns how many parts a large payload of n bytes has.
func partsOf(n int) int { return (n + partSize - 1) / partSize }

// partsRoom is what keeping a payload of n bytes in parts takes beyond its
// bytes, at most: about a page for each tree, and for the end of each run.
func partsRoom(n int) int64 {
	const page = 4 << 10
	if n <= largePayload {
		return 0
	}
	return 2*page + int64(partsOf(n))*(page+partKeySize+crcSize)
}

// partKey returns the key of a part of the job whose key is given.
func partKey(b, key []byte, n int) []byte {
	return binary.BigEndian.AppendUint32(append(b, key...), uint32(n))
}

// putParts keeps payload beside the job with this key, which has no parts yet.
func (w *work) putParts(key, payload []byte) error {
	b, err := w.parts.CreateBucket(key)
	if err != nil {
		return err
	}
	b.FillPercent = 1
	n := 0
	for part := range slices.Chunk(payload, partSize) {
		k := partKey(w.arena.take(partKeySize), key, n)
		value := append(append(w.arena.take(crcSize+len(part)), 0, 0, 0, 0), part...)
		seal(k, value)
		w.ledger.add(kindParts, k, value)
		if err := b.Put(k, value); err != nil {
			return err
		}
		n++
	}
	return nil
}

// deleteParts removes the payload that is kept in parts.
func (w *work) deleteParts(key []byte) error {
	b := w.parts.Bucket(key)
	if b == nil {
		return fmt.Errorf("%w: the payload of job %s is missing", errDamaged, nameOf(key))
	}
	return errors.Join(w.ledger.removeParts(b), w.parts.DeleteBucket(key))
}

// join returns the payload of p that bucket b has, which may be nil, and adds
// its parts to a ledger. The bytes are a copy.
func (p parts) join(key []byte, b *bbolt.Bucket, l *ledger) ([]byte, error) {
	if b == nil {
		return nil, fmt.Errorf("%w: its payload is missing", errDamaged)
	}
	var pieces [][]byte
	length := uint64(0)
	err := b.ForEach(func(k, value []byte) error {
		if want := partKey(nil, key, len(pieces)); string(k) != string(want) {
			return fmt.Errorf("%w: part %x of its payload where %x should be", errDamaged, k, want)
		}
		piece, err := unseal(k, value)
		if err != nil {
			return fmt.Errorf("part %d of its payload: %w", len(pieces), err)
		}
		l.add(kindParts, k, value)
		pieces = append(pieces, piece)
		length += uint64(len(piece))
		return nil
	})
	if err != nil {
		return nil, err
	}
	if length != p.length || len(pieces) != int(p.count) {
		return nil, fmt.Errorf("%w: a payload of %d bytes in %d parts where %d in %d should be",
			errDamaged, length, len(pieces), p.length, p.count)
	}
	return slices.Concat(pieces...), nil
}
