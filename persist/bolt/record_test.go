package bolt

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"gearbolt/persist"
)

var someJob = persist.Job{
	ID: persist.JobID{Epoch: 7, Seq: 8}, Prefix: "H:host", Function: "function", Unique: "-", Reducer: "sum",
	HasReducer: true, Payload: []byte("payload"), Priority: persist.Low, Attempts: 3, Due: time.UnixMilli(1e12).UTC(),
}

func encode(j *persist.Job) (key, value []byte) {
	key = appendKey(nil, j.ID)
	value = appendJob(make([]byte, 0, jobSize(j)), j)
	seal(key, value)
	return key, value
}

// TestEveryBit flips each bit of a record and of its key, and cuts the record
// off everywhere.
func TestEveryBit(t *testing.T) {
	var d decoder
	key, value := encode(&someJob)
	if j, err := d.job(key, value); err != nil || !reflect.DeepEqual(j.Job, someJob) {
		t.Fatalf("%+v, %v", j, err)
	}
	for _, b := range [][]byte{key, value} {
		for i := range 8 * len(b) {
			b[i/8] ^= 1 << (i % 8)
			if j, err := d.job(key, value); !errors.Is(err, errDamaged) {
				t.Fatalf("with bit %d flipped: %+v, %v", i, j, err)
			}
			b[i/8] ^= 1 << (i % 8)
		}
	}
	for n := range value {
		if _, err := d.job(key, value[:n]); !errors.Is(err, errDamaged) {
			t.Fatalf("cut off at %d: %v", n, err)
		}
	}
}

// FuzzRecord decodes records whose checksums are right and whose fields need
// not be.
func FuzzRecord(f *testing.F) {
	_, value := encode(&someJob)
	f.Add(value[crcSize:])
	large := someJob
	large.Payload = make([]byte, largePayload+1)
	_, value = encode(&large)
	f.Add(value[crcSize:])
	f.Add([]byte{jobWhole, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, body []byte) {
		value := append(make([]byte, crcSize), body...)
		var d decoder
		jobKey := appendKey(nil, someJob.ID)
		seal(jobKey, value)
		if j, err := d.job(jobKey, value); err == nil && j.count == 0 && !isLarge(j.Payload) {
			key, again := encode(&j.Job)
			if back, err := d.job(key, again); err != nil || !reflect.DeepEqual(back, j) {
				t.Errorf("%+v becomes %+v: %v", j, back, err)
			}
		}
		decodeAttempts(jobKey, value)
		key := limitKey(nil, "f")
		seal(key, value)
		if l, err := decodeLimit(key, value); err == nil {
			again := appendLimit(nil, &l)
			if seal(key, again); !bytes.Equal(again, value) {
				t.Errorf("%x becomes %x", value, again)
			}
		}
	})
}

// TestNamesAreShared checks that many jobs of a function have one copy of its
// name.
func TestNamesAreShared(t *testing.T) {
	var d decoder
	key, value := encode(&someJob)
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := d.job(key, value); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 0 {
		t.Errorf("a job with known names takes %v allocations", allocs)
	}
}
