package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"gearbolt/persist"
)

// A kind is what a record is of: the bucket that it stands in.
type kind uint8

// The kinds, in an order in which what belongs to a job comes before the jobs.
// Their values are part of the stored ledger.
const (
	kindRoot kind = iota // of the buckets themselves
	kindMeta
	kindLimits
	kindAttempts
	kindParts
	kindJobs
	kinds
)

var kindBuckets = [kinds][]byte{nil, bucketMeta, bucketLimits, bucketAttempts, bucketParts, bucketJobs}

func (k kind) bucket() []byte { return kindBuckets[k] }

// String is the name of the bucket.
func (k kind) String() string { return string(kindBuckets[k]) }

// name returns what stands under a key, for a message.
func (k kind) name(key []byte) string {
	switch k {
	case kindRoot:
		return fmt.Sprintf("bucket %q", key)
	case kindMeta:
		return fmt.Sprintf("the store's %q", key)
	case kindLimits:
		return fmt.Sprintf("the limit of function %q", bytes.TrimPrefix(key, []byte("f")))
	case kindAttempts:
		return "the attempts of job " + nameOf(key)
	case kindParts:
		return "the payload of job " + nameOf(key[:min(len(key), keySize)])
	}
	return "job " + nameOf(key)
}

// describe says what was between two keys, for a message.
func (k kind) describe(s span) string {
	what := [kinds]string{"any record", "the store's own numbers", "limits of functions", "attempts of jobs",
		"large payloads of jobs", "jobs"}[k]
	if k == kindRoot || k == kindMeta || k == kindLimits {
		return what
	}
	if s.from != nil {
		what += " from " + boundary(s.from)
	}
	if s.to != nil {
		what += " to before " + boundary(s.to)
	}
	return what
}

// boundary shows a key at which a range begins or ends, which may be longer
// than that of a job.
func boundary(key []byte) string {
	if len(key) < keySize {
		key = append(bytes.Clone(key), make([]byte, keySize-len(key))...)
	}
	return nameOf(key[:keySize])
}

// A stored is a record that was found in a file.
type stored struct {
	kind       kind
	page       uint64
	key, value []byte

	job    record // what it says, of kindJobs
	number uint64 // of kindMeta, but for the application
}

// verify fails unless the record's checksum is right and its fields make sense.
// It fills in what the record says.
func (r *stored) verify(d *decoder) (err error) {
	switch r.kind {
	case kindMeta:
		return r.verifyMeta()
	case kindLimits:
		_, err = decodeLimit(r.key, r.value)
	case kindAttempts:
		if _, err = decodeKey(r.key); err == nil {
			_, err = decodeAttempts(r.key, r.value)
		}
	case kindParts:
		if len(r.key) != partKeySize {
			return fmt.Errorf("%w: the number of a part of %d bytes", errDamaged, len(r.key))
		}
		_, err = unseal(r.key, r.value)
	case kindJobs:
		r.job, err = d.job(r.key, r.value)
	}
	return err
}

func (r *stored) verifyMeta() error {
	if bytes.Equal(r.key, keyApplication) {
		if string(r.value) != application {
			return fmt.Errorf("%w: it is that of %q", errDamaged, r.value)
		}
		return nil
	}
	if bytes.Equal(r.key, keyLedger) {
		_, err := decodeLedger(r.value)
		return err
	}
	body, err := unseal(r.key, r.value)
	if err == nil && len(body) != 8 {
		err = fmt.Errorf("%w: a number of %d bytes", errDamaged, len(body))
	}
	if err == nil {
		r.number = binary.BigEndian.Uint64(body)
	}
	return err
}

// likelyEpochs bounds the epochs of jobs: such a number takes millenia of
// starts, or of milliseconds.
const likelyEpochs = 1 << 47

// classify tells the kind of a record that lies in a page of which it is not
// known what bucket it was of, and reports whether it is a record at all. All
// job numbers begin with a zero byte, and all limits with another one.
func (r *stored) classify(d *decoder) bool {
	switch id, _ := decodeKey(r.key[:min(len(r.key), keySize)]); {
	case bytes.Equal(r.key, keyEpoch):
		r.kind = kindMeta
	case len(r.key) > 0 && r.key[0] == 'f':
		r.kind = kindLimits
	case id == (persist.JobID{}) || id.Epoch >= likelyEpochs:
		return false
	case len(r.key) == partKeySize:
		r.kind = kindParts
	case len(r.key) == keySize && len(r.value) == attemptsSize:
		r.kind = kindAttempts
	default:
		r.kind = kindJobs
	}
	return r.verify(d) == nil
}
