package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

// bboltRow compares what a client sees of durable submission with what the
// embedded database can do when it is left alone with as large batches: nobody
// to hear, to answer and to order jobs for.
func bboltRow() row {
	ours, alone := ref{ours, perSecond}, ref{ours, "bbolt jobs/s"}
	return row{
		name: "bbolt", what: "durable submission, 16 × 64 in flight, beside bbolt alone (same batches, no network, same process)", fresh: true,
		sides: []side{{name: ours.side, server: gearbolt, round: submitAndCommit}},
		targets: []target{
			within("jobs/s", ours, alone, atLeast(0.4)),
			within("jobs in a transaction", ref{ours.side, "batch"}, ref{}, want{}),
		},
	}
}

// submitAndCommit queues jobs over the network, and then commits as many in this
// process.
func submitAndCommit(ctx context.Context, r *rig, s *server) (metrics, error) {
	jobs := r.count(300_000)
	store := filepath.Join(s.dir, "data", storeFile)
	before, err := transactions(store)
	if err != nil {
		return nil, err
	}
	m, err := r.bench(ctx, s, shape("queued", "16", "64", "1", "--keep", "--function", "waiting", "--unique", "--jobs", fmt.Sprint(jobs))...)
	if err != nil {
		return nil, err
	}
	after, err := transactions(store)
	if err != nil || after <= before {
		return nil, errors.Join(err, fmt.Errorf("%d transactions after %d", after, before))
	}
	batch := max(1, jobs/int(after-before))
	m["batch"] = float64(batch)
	m["bbolt jobs/s"], err = commitAlone(filepath.Join(s.dir, "alone.db"), jobs, batch)
	return m, err
}

// storeFile is the file of the server's store, which may be read while it is
// written to: see transactions.
const storeFile = "gearbolt.db"

// transactions tells how many write transactions a bbolt file has seen: the
// larger number of its two meta pages, which take turns. Where the page of a
// header ends and its number stands is part of bbolt's format.
func transactions(path string) (latest uint64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	const header, magic, number = 16, 0xED0CDAED, 64
	page := make([]byte, 128)
	for i := range 2 {
		if _, err := f.ReadAt(page, int64(i*os.Getpagesize())); err != nil {
			return 0, err
		}
		if binary.NativeEndian.Uint32(page[header:]) != magic {
			return 0, fmt.Errorf("%s: page %d is no meta page of bbolt", path, i)
		}
		latest = max(latest, binary.NativeEndian.Uint64(page[number:]))
	}
	return latest, nil
}

// record is about what the server stores of a job with a payload of 100 bytes.
var record = bytes.Repeat([]byte("x"), 160)

// commitAlone commits so many records in transactions of so many, each of which
// is on stable storage before the next begins, and returns how many a second.
func commitAlone(path string, jobs, batch int) (float64, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoFreelistSync: true})
	if err != nil {
		return 0, err
	}
	defer db.Close()
	bucket := []byte("jobs")
	if err := db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket(bucket); return err }); err != nil {
		return 0, err
	}
	began := time.Now()
	for n := 0; n < jobs; n += batch {
		err := db.Update(func(tx *bbolt.Tx) error {
			b := tx.Bucket(bucket)
			b.FillPercent = 1 // records are appended, as in the server's store
			var err error
			for i := n; i < min(n+batch, jobs) && err == nil; i++ {
				err = b.Put(binary.BigEndian.AppendUint64(nil, uint64(i)), record)
			}
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return float64(jobs) / time.Since(began).Seconds(), nil
}
