package bolt

import (
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"
)

// A ledger is what all records of the tree amount to, but for those of bucket
// meta, where it is kept: each transaction changes it with the records. bbolt's
// branch pages have no checksum. When a flipped bit in one leads to an older copy
// of a page, which is still there in a free one, all records that it has are
// right; but together they are not those that the ledger speaks of.
type ledger struct {
	jobs uint64 // how many
	sum  uint64 // of a hash of each record's kind, key and checksum
}

// add and remove note that a record comes or goes.
func (l *ledger) add(k kind, key, value []byte) {
	l.sum += hash(k, key, value)
	if k == kindJobs {
		l.jobs++
	}
}

func (l *ledger) remove(k kind, key, value []byte) {
	l.sum -= hash(k, key, value)
	if k == kindJobs {
		l.jobs--
	}
}

// removeParts notes that all parts of a payload go.
func (l *ledger) removeParts(b *bbolt.Bucket) error {
	return b.ForEach(func(key, value []byte) error {
		l.remove(kindParts, key, value)
		return nil
	})
}

// hash spreads a record's kind, key and checksum, which covers the rest of it,
// over 64 bits. The mixing is that of SplitMix64.
func hash(k kind, key, value []byte) uint64 {
	h := uint64(k)<<32 | uint64(binary.BigEndian.Uint32(value))
	for ; len(key) >= 8; key = key[8:] {
		h = mix(h ^ binary.BigEndian.Uint64(key))
	}
	for _, b := range key {
		h = mix(h ^ uint64(b))
	}
	return mix(h)
}

func mix(h uint64) uint64 {
	h += 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

const ledgerSize = crcSize + 8 + 8

// getLedger reads the ledger of bucket meta. put writes it.
func getLedger(b *bbolt.Bucket) (ledger, error) { return decodeLedger(b.Get(keyLedger)) }

func (l ledger) put(b *bbolt.Bucket) error {
	value := make([]byte, crcSize, ledgerSize)
	value = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(value, l.jobs), l.sum)
	seal(keyLedger, value)
	return b.Put(keyLedger, value)
}

func decodeLedger(value []byte) (ledger, error) {
	body, err := unseal(keyLedger, value)
	if err != nil {
		return ledger{}, err
	}
	if len(value) != ledgerSize {
		return ledger{}, fmt.Errorf("%w: a ledger of %d bytes", errDamaged, len(value))
	}
	return ledger{binary.BigEndian.Uint64(body), binary.BigEndian.Uint64(body[8:])}, nil
}

// compare fails unless l is what the records that were found amount to.
func (l ledger) compare(found ledger) error {
	switch {
	case l.jobs != found.jobs:
		return fmt.Errorf("%w: it has %d jobs where its ledger says %d: there must be an older copy of a page in the place of the right one",
			errDamaged, found.jobs, l.jobs)
	case l != found:
		return fmt.Errorf("%w: its records are not those of its ledger: there must be an older copy of a page in the place of the right one",
			errDamaged)
	}
	return nil
}
