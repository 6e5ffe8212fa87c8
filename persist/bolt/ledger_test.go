package bolt

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"gearbolt/persist"
)

// TestLedgerDisagrees changes a record, or the ledger, by one that is right in
// itself: the store is refused, the check tells, and salvage makes a good one.
func TestLedgerDisagrees(t *testing.T) {
	for what, change := range map[string]func(tx *bbolt.Tx) error{
		"one job fewer": func(tx *bbolt.Tx) error { return ledger{jobs: damagedJobs}.put(tx.Bucket(bucketMeta)) },
		"another sum": func(tx *bbolt.Tx) error {
			l, err := getLedger(tx.Bucket(bucketMeta))
			l.sum++
			if err != nil {
				return err
			}
			return l.put(tx.Bucket(bucketMeta))
		},
		"no ledger": func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Delete(keyLedger) },
		"a damaged ledger": func(tx *bbolt.Tx) error {
			value := bytes.Clone(tx.Bucket(bucketMeta).Get(keyLedger))
			value[crcSize] ^= 1
			return tx.Bucket(bucketMeta).Put(keyLedger, value)
		},
		"an older limit": func(tx *bbolt.Tx) error {
			key, value := limitKey(nil, "f"), appendLimit(nil, &persist.Limit{Max: [3]uint32{1}})
			seal(key, value)
			return tx.Bucket(bucketLimits).Put(key, value)
		},
		"older attempts": func(tx *bbolt.Tx) error {
			return putSealed(tx.Bucket(bucketAttempts), appendKey(nil, benchJob(damagedJobs).ID), []byte{0, 0, 0, 1})
		},
	} {
		t.Run(what, func(t *testing.T) {
			dir := place(t, written(t))
			editFile(t, dir, change)
			wantReported(t, dir)
			if _, err := load(dir); err == nil || !strings.Contains(err.Error(), "ledger") || !strings.Contains(err.Error(), "gearbolt store salvage") {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// TestFormatUpgradeIsCutShort has the pages of the start that made a file one of
// the current format on the disk, and not both meta pages that lead to them, as
// a power cut may leave it.
func TestFormatUpgradeIsCutShort(t *testing.T) {
	for v := 1; v < formatVersion; v++ {
		before := readFormatFile(t, v)
		dir := place(t, before)
		s := open(t, Options{Dir: dir})
		s.Close()
		after, err := os.ReadFile(s.path)
		if err != nil {
			t.Fatal(err)
		}
		page := os.Getpagesize()
		for metas := range 4 { // a bit for each that was not written
			file := bytes.Clone(after)
			for i := range 2 {
				if metas&(1<<i) != 0 {
					copy(file[i*page:(i+1)*page], before[i*page:])
				}
			}
			dir := place(t, file)
			if r, err := Check(dir, nil); err != nil || !r.Clean() {
				t.Errorf("format %d, %b: the check says %+v, %v", v, metas, r, err)
			}
			s := opened(t, Options{Dir: dir})
			wantFormatKept(t, s)
			wantFormatVersion(t, s)
			s.Close()
		}
	}
}
