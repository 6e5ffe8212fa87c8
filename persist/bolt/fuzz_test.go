package bolt

import (
	"bytes"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"
)

// FuzzParts joins a payload from parts of which one may be altered, moved or
// missing, and of which the record may say anything. What comes of it is the
// payload or an error.
func FuzzParts(f *testing.F) {
	db, err := bbolt.Open(filepath.Join(f.TempDir(), "parts"), 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { db.Close() })
	f.Add([]byte("payload of a few parts"), uint8(4), uint8(2), uint8(0), uint16(0), int8(0), int8(0))
	f.Add([]byte("one"), uint8(1), uint8(0), uint8(1), uint16(3), int8(1), int8(-1))
	f.Add([]byte(""), uint8(0), uint8(0), uint8(2), uint16(9), int8(0), int8(0))
	f.Add([]byte("moved about"), uint8(3), uint8(1), uint8(3), uint16(0), int8(0), int8(0))
	f.Fuzz(func(t *testing.T, payload []byte, size, which, how uint8, at uint16, length, count int8) {
		tx, err := db.Begin(true)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		b, err := tx.CreateBucketIfNotExists(bucketParts)
		if err != nil {
			t.Fatal(err)
		}
		key := appendKey(nil, someJob.ID)
		n := fuzzParts(b, key, payload, int(size)+1, func(i int, k, value []byte) ([]byte, []byte) {
			if i != int(which) {
				return k, value
			}
			return damagePart(k, value, how, at)
		})
		p := parts{length: uint64(len(payload) + int(length)), count: uint32(n + int(count))}
		got, err := p.join(key, b, new(ledger))
		if err == nil && (uint64(len(got)) != p.length || length == 0 && !bytes.Equal(got, payload)) {
			t.Errorf("%q became %q, %d bytes were asked for", payload, got, p.length)
		}
		if harmless := how%4 == 0 || int(which) >= n; harmless && length == 0 && count == 0 && err != nil {
			t.Errorf("%q is not joined: %v", payload, err)
		}
	})
}

// fuzzParts keeps payload in parts of size bytes, as alter leaves them, and
// returns how many there are.
func fuzzParts(b *bbolt.Bucket, key, payload []byte, size int, alter func(i int, k, value []byte) ([]byte, []byte)) (n int) {
	for ; len(payload) > 0; n++ {
		part := payload[:min(size, len(payload))]
		payload = payload[len(part):]
		k := partKey(nil, key, n)
		value := append(make([]byte, crcSize), part...)
		seal(k, value)
		if k, value = alter(n, k, value); k != nil {
			b.Put(k, value)
		}
	}
	return n
}

func damagePart(k, value []byte, how uint8, at uint16) ([]byte, []byte) {
	switch how % 4 {
	case 1:
		value[int(at)%len(value)] ^= 1 << (at % 8)
	case 2:
		return nil, nil
	case 3:
		k[len(k)-1] += 100
	}
	return k, value
}
