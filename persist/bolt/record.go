package bolt

import (
	"encoding/binary"
	"fmt"
	"time"

	"gearbolt/persist"
)

// What stands in the file. The buckets of the tree are
//
//	meta      application: "gearbolt store"; format and epoch: crc32 number:8
//	jobs      job number -> job
//	attempts  job number -> attempts, where SetAttempt has changed those of the job
//	limits    'f' + function -> limit
//
// A job number is its Epoch and Seq, 8 bytes each, so that keys order as jobs
// were submitted and new ones are appended. All numbers are big-endian. A value
// begins with the CRC-32C of its key and of its rest, since bbolt does not
// checksum what it keeps.
//
//	job       crc32 version=1 priority flags attempts:4 [due:8, Unix time in ms]
//	          prefix function unique [reducer] payload
//	attempts  crc32 attempts:4
//	limit     crc32 version=1 high:4 normal:4 low:4
//
// The strings are preceded by their length as a uvarint; the payload is what
// is left.
//
// To change the format of a record: give it the next version; teach its decode
// function the new one beside the old ones, which stay for good; and let the
// encode function write only the new one. Old records are not rewritten. Then
// raise [formatVersion], so that an older program refuses the file instead of
// misreading it; let [Store.checkFormat] accept the older file too, and have
// [Store.begin] write the new version into it. Keep a file of the old format in
// testdata, with a test that loads it.
const recordVersion = 1

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
	limitSize    = crcSize + 1 + 4*persist.Priorities

	// jobHeadSize is the most that a job takes beyond its strings and payload.
	jobHeadSize = crcSize + 3 + 4 + 8 + 4*binary.MaxVarintLen64
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

// jobSize is at least as much as appendJob appends for j.
func jobSize(j *persist.Job) int {
	return jobHeadSize + len(j.Prefix) + len(j.Function) + len(j.Unique) + len(j.Reducer) + len(j.Payload)
}

// appendJob appends the unsealed value of j.
func appendJob(b []byte, j *persist.Job) []byte {
	var flags byte
	if !j.Due.IsZero() {
		flags |= flagDue
	}
	if j.HasReducer {
		flags |= flagReducer
	}
	b = append(b, 0, 0, 0, 0, recordVersion, byte(j.Priority), flags)
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

// job decodes the value of a job. Its strings are copies; its payload, the rest
// of the value, is not.
func (d *decoder) job(key, value []byte) (persist.Job, error) {
	id, err := decodeKey(key)
	if err != nil {
		return persist.Job{}, err
	}
	body, err := unseal(key, value)
	if err != nil {
		return persist.Job{}, err
	}
	r := reader{rest: body}
	if v := r.byte(); v != recordVersion {
		return persist.Job{}, fmt.Errorf("%w: version %d is unknown", errDamaged, v)
	}
	j := persist.Job{ID: id, Priority: persist.Priority(r.byte())}
	flags := r.byte()
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
	j.Payload = r.rest
	if r.short || j.Priority >= persist.Priorities || flags&^flagsKnown != 0 {
		return persist.Job{}, fmt.Errorf("%w: its fields make no sense", errDamaged)
	}
	return j, nil
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
	b = append(b, 0, 0, 0, 0, recordVersion)
	for _, n := range l.Max {
		b = binary.BigEndian.AppendUint32(b, n)
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
	if len(value) != limitSize || version != recordVersion || len(key) == 0 || key[0] != 'f' {
		return persist.Limit{}, fmt.Errorf("%w: not the limit of a function", errDamaged)
	}
	l := persist.Limit{Function: string(key[1:])}
	for p := range l.Max {
		l.Max[p] = r.uint32()
	}
	return l, nil
}
