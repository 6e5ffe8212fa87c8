package bolt

import (
	"encoding/binary"
	"fmt"
	"time"

	"gearbolt/persist"
)

// To change the format of the file: describe it, as the next version, in the
// package comment and in [formatVersion]. A record whose layout changes gets the
// next version of its own: teach its decode function the new one beside the old
// ones, which stay for good; and let the encode function write only the new one.
// Old records are not rewritten. Let lookAtFormat know what an older file lacks,
// and [Store.count] make that in the transaction that counts a start; an older
// program refuses the file from then on instead of misreading it. At last add a file of the new
// format to testdata, which TestFormats tells how to, and leave the others: it
// opens them all.

// The versions of a job's record, in whose place 3 tells a pack, and those of a
// limit's.
const (
	jobWhole   = 1 // the payload is the rest of the record
	jobInParts = 2 // the payload is in bucket parts

	limitOfJobs  = 1
	limitOfBytes = 2 // of jobs, too; the next is 4
)

// The flags of a job.
const (
	flagDue = 1 << iota
	flagReducer
	flagsKnown = flagDue | flagReducer
)

const (
	keySize      = 16
	crcSize      = 4
	attemptsSize = crcSize + 4
	limitSize    = crcSize + 1 + 4*persist.Priorities + 8

	// jobHeadSize is the most that a job takes beyond its strings and payload.
	jobHeadSize = crcSize + 3 + 4 + 8 + 4*binary.MaxVarintLen64 + 8 + 4
)

func appendKey(b []byte, id persist.JobID) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, id.Epoch), id.Seq)
}

func decodeKey(k []byte) (persist.JobID, error) {
	if len(k) != keySize {
		return persist.JobID{}, fmt.Errorf("%w: a job number of %d bytes", errDamaged, len(k))
	}
	return persist.JobID{Epoch: binary.BigEndian.Uint64(k), Seq: binary.BigEndian.Uint64(k[8:])}, nil
}

// jobSize is what a job amounts to at most: all its fields, wherever they are.
func jobSize(j *persist.Job) int {
	return jobHeadSize + len(j.Prefix) + len(j.Function) + len(j.Unique) + len(j.Reducer) + len(j.Payload)
}

// recordSize is at least as much as appendJob appends for j.
func recordSize(j *persist.Job) int {
	n := jobSize(j)
	if isLarge(j.Payload) {
		n -= len(j.Payload)
	}
	return n
}

// appendJob appends the unsealed value of j. Of a large payload it says only
// what its parts are to amount to.
func appendJob(b []byte, j *persist.Job) []byte {
	version, flags := byte(jobWhole), byte(0)
	if isLarge(j.Payload) {
		version = jobInParts
	}
	if !j.Due.IsZero() {
		flags |= flagDue
	}
	if j.HasReducer {
		flags |= flagReducer
	}
	b = append(b, 0, 0, 0, 0, version, byte(j.Priority), flags)
	b = binary.BigEndian.AppendUint32(b, j.Attempts)
	if flags&flagDue != 0 {
		b = binary.BigEndian.AppendUint64(b, uint64(j.Due.UnixMilli()))
	}
	b = appendString(b, j.Prefix)
	b = appendString(b, j.Function)
	b = appendString(b, j.Unique)
	if flags&flagReducer != 0 {
		b = appendString(b, j.Reducer)
	}
	if version == jobInParts {
		b = binary.BigEndian.AppendUint64(b, uint64(len(j.Payload)))
		return binary.BigEndian.AppendUint32(b, uint32(partsOf(len(j.Payload))))
	}
	return append(b, j.Payload...)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// A decoder decodes records. It keeps one copy of each prefix, function and
// reducer, since few are used by many jobs.
type decoder struct {
	names map[string]string
}

// A record is what the value of a job says.
type record struct {
	persist.Job // without the payload if that is in parts
	parts       // of the payload; none if it is in the record
}

// job decodes the value of a job. Its strings are copies; its payload, the rest
// of the value, is not.
func (d *decoder) job(key, value []byte) (record, error) {
	id, err := decodeKey(key)
	if err != nil {
		return record{}, err
	}
	body, err := unseal(key, value)
	if err != nil {
		return record{}, err
	}
	r := reader{rest: body}
	version := r.byte()
	if version != jobWhole && version != jobInParts {
		return record{}, fmt.Errorf("%w: version %d is unknown", errDamaged, version)
	}
	j := record{Job: persist.Job{ID: id, Priority: persist.Priority(r.byte())}}
	flags := r.byte()
	d.fields(&r, flags, &j.Job)
	if version == jobInParts {
		j.parts = parts{length: r.uint64(), count: r.uint32()}
		r.short = r.short || len(r.rest) > 0 || j.count == 0
	} else {
		j.Payload = r.rest
	}
	if r.short || j.Priority >= persist.Priorities || flags&^flagsKnown != 0 {
		return record{}, fmt.Errorf("%w: its fields make no sense", errDamaged)
	}
	return j, nil
}

// fields reads what stands between a job's flags and its payload.
func (d *decoder) fields(r *reader, flags byte, j *persist.Job) {
	j.Attempts = r.uint32()
	if flags&flagDue != 0 {
		j.Due = time.UnixMilli(int64(r.uint64())).UTC()
	}
	j.Prefix = d.name(r.string())
	j.Function = d.name(r.string())
	j.Unique = string(r.string())
	if j.HasReducer = flags&flagReducer != 0; j.HasReducer {
		j.Reducer = d.name(r.string())
	}
}

// name returns b as a string, the same one for the same bytes.
func (d *decoder) name(b []byte) string {
	if s, ok := d.names[string(b)]; ok {
		return s
	}
	if d.names == nil {
		d.names = make(map[string]string)
	}
	s := string(b)
	d.names[s] = s
	return s
}

func appendAttempts(b []byte, n uint32) []byte {
	return binary.BigEndian.AppendUint32(append(b, 0, 0, 0, 0), n)
}

func decodeAttempts(key, value []byte) (uint32, error) {
	body, err := unseal(key, value)
	if err != nil {
		return 0, err
	}
	if len(value) != attemptsSize {
		return 0, fmt.Errorf("%w: attempts of %d bytes", errDamaged, len(value))
	}
	return binary.BigEndian.Uint32(body), nil
}

// limitKey returns the key of a function's limit. Its first byte is there
// because a key may not be empty, as a function's name may.
func limitKey(b []byte, function string) []byte {
	return append(append(b, 'f'), function...)
}

func appendLimit(b []byte, l *persist.Limit) []byte {
	version := byte(limitOfJobs)
	if l.Bytes != 0 {
		version = limitOfBytes
	}
	b = append(b, 0, 0, 0, 0, version)
	for _, n := range l.Max {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	if version == limitOfBytes {
		b = binary.BigEndian.AppendUint64(b, uint64(l.Bytes))
	}
	return b
}

func decodeLimit(key, value []byte) (persist.Limit, error) {
	body, err := unseal(key, value)
	if err != nil {
		return persist.Limit{}, err
	}
	r := reader{rest: body}
	version := r.byte()
	var l persist.Limit
	for p := range l.Max {
		l.Max[p] = r.uint32()
	}
	if version == limitOfBytes {
		l.Bytes = int64(r.uint64())
	}
	known := version == limitOfJobs || version == limitOfBytes && l.Bytes > 0
	if !known || r.short || len(r.rest) > 0 || len(key) == 0 || key[0] != 'f' {
		return persist.Limit{}, fmt.Errorf("%w: not the limit of a function", errDamaged)
	}
	l.Function = string(key[1:])
	return l, nil
}
