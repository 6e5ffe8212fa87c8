package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"go.etcd.io/bbolt"

	"gearbolt/persist"
)

// A builder fills a new store's file with records that are as they were stored.
type builder struct {
	path string
	db   *bbolt.DB
	tx   *bbolt.Tx
	size int // of what tx holds in memory, in bytes

	packs   packs
	arena   arena
	waiting []stored      // jobs in rising order that are to be put into packs
	last    persist.JobID // the greatest that was added

	epoch  uint64 // the greatest that was met
	jobs   int64
	ledger ledger
}

// builtAtOnce is how many bytes of records are written in one transaction.
const builtAtOnce = 16 << 20

// builtTogether is how many jobs wait for their packs.
const builtTogether = 1000

// newBuilder makes a file, in place of what an earlier attempt left there.
// Nothing is on stable storage before finish.
func newBuilder(path string) (*builder, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout, NoFreelistSync: true, NoSync: true, NoGrowSync: true})
	if err != nil {
		return nil, err
	}
	b := &builder{path: path, db: db}
	if err := errors.Join(db.Update(fillNew), b.begin()); err != nil {
		b.discard()
		return nil, err
	}
	return b, nil
}

func (b *builder) begin() (err error) {
	b.tx, err = b.db.Begin(true)
	b.size, b.arena = 0, arena{}
	return err
}

// add adds a record, unless there is one under its key, and reports whether it
// did; of the attempts of a job, which only rise, the most are kept. The
// record's bytes must not change from then on.
func (b *builder) add(r stored) (added bool, err error) {
	switch {
	case r.kind == kindMeta && bytes.Equal(r.key, keyEpoch):
		b.epoch = max(b.epoch, r.number)
		return false, nil
	case r.kind == kindMeta, r.kind == kindParts && len(r.key) == keySize:
		return false, nil
	case r.kind == kindJobs:
		if added, err = b.addJob(r); !added || err != nil {
			return false, err
		}
	default:
		if added, err = b.addAside(r); !added || err != nil {
			return false, err
		}
	}
	b.ledger.add(r.kind, r.key, r.value)
	b.size += len(r.key) + len(r.value)
	if b.size < builtAtOnce {
		return true, nil
	}
	return true, b.commit()
}

// addAside adds a record that is none of a job.
func (b *builder) addAside(r stored) (added bool, err error) {
	in := b.tx.Bucket(r.kind.bucket())
	if r.kind == kindParts {
		if in, err = in.CreateBucketIfNotExists(r.key[:keySize]); err != nil {
			return false, err
		}
	}
	if old := in.Get(r.key); old != nil {
		if r.kind != kindAttempts || !moreAttempts(r.value, old) {
			return false, nil
		}
		b.ledger.remove(r.kind, r.key, old)
	}
	in.FillPercent = 1
	return true, in.Put(r.key, r.value)
}

// addJob adds a job. Most come in their order: those wait until there are some
// packs of them.
func (b *builder) addJob(r stored) (added bool, err error) {
	b.epoch = max(b.epoch, r.job.ID.Epoch)
	if r.job.ID.Compare(b.last) <= 0 {
		if err := b.pack(); err != nil {
			return false, err
		}
		b.size += packSize // a pack will be written again for this one
		if old, err := findJob(b.tx.Bucket(bucketJobs), r.job.ID); old != nil || err != nil {
			return false, err
		}
	} else {
		b.last = r.job.ID
	}
	b.jobs++
	b.waiting = append(b.waiting, r)
	if len(b.waiting) < builtTogether {
		return true, nil
	}
	return true, b.pack()
}

// pack puts the jobs that wait into packs.
func (b *builder) pack() error {
	edits := make([]edit, len(b.waiting))
	for i, r := range b.waiting {
		edits[i] = edit{r.job.ID, i}
	}
	err := b.edit(edits, func(_ []byte, e []edit) ([]byte, error) { return b.waiting[e[0].n].value, nil })
	clear(b.waiting)
	b.waiting = b.waiting[:0]
	return err
}

func (b *builder) edit(edits []edit, resolve func(old []byte, e []edit) ([]byte, error)) error {
	b.packs.bucket, b.packs.arena, b.packs.resolve = b.tx.Bucket(bucketJobs), &b.arena, resolve
	b.packs.bucket.FillPercent = 1
	return b.packs.edit(edits)
}

func (b *builder) commit() error {
	if err := b.pack(); err != nil {
		return err
	}
	return errors.Join(b.tx.Commit(), b.begin())
}

func moreAttempts(a, b []byte) bool { return bytes.Compare(a[crcSize:], b[crcSize:]) > 0 }

// finish puts the file on stable storage, as a copy if it is one, and with the
// owner and the mode of the original.
func (b *builder) finish(copied bool, original fs.FileInfo) error {
	meta := b.tx.Bucket(bucketMeta)
	err := errors.Join(b.pack(), putNumber(meta, keyEpoch, b.epoch), b.ledger.put(meta))
	err = errors.Join(err, b.tx.Commit())
	// A second one, so that both meta pages know all of it.
	err = errors.Join(err, b.db.Update(func(*bbolt.Tx) error { return nil }), b.db.Close())
	b.tx, b.db = nil, nil
	if err != nil {
		return err
	}
	f, err := os.OpenFile(b.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if copied {
		if err := markFile(f); err != nil {
			return err
		}
	}
	if err := own(f, original, original.Mode().Perm()); err != nil {
		return err
	}
	return f.Sync()
}

// discard removes what was built so far.
func (b *builder) discard() {
	if b.tx != nil {
		b.tx.Rollback()
	}
	if b.db != nil {
		b.db.Close()
	}
	os.Remove(b.path)
}

// belongs removes what belongs to jobs that the file does not have, and jobs
// whose payload is not complete, of which it tells lost.
func (b *builder) belongs(lost func(job record)) error {
	if err := errors.Join(b.pack(), b.dropIncomplete(lost)); err != nil {
		return err
	}
	if err := b.commit(); err != nil { // see packs: after deletes nothing is found
		return err
	}
	for _, k := range []kind{kindAttempts, kindParts} {
		if err := b.dropOrphans(k); err != nil {
			return err
		}
	}
	return nil
}

// dropOrphans removes what a bucket has of jobs that are not there, and parts of
// such as have their payload in the record.
func (b *builder) dropOrphans(k kind) error {
	var orphans [][]byte
	jobs, in := b.tx.Bucket(bucketJobs), b.tx.Bucket(k.bucket())
	err := in.ForEach(func(key, _ []byte) error {
		job, err := findJob(jobs, idOf(key))
		if err == nil && (job == nil || k == kindParts && job[crcSize] != jobInParts) {
			orphans = append(orphans, bytes.Clone(key))
		}
		return err
	})
	for _, key := range orphans {
		if k == kindParts {
			err = errors.Join(err, b.ledger.removeParts(in.Bucket(key)), in.DeleteBucket(key))
		} else {
			b.ledger.remove(k, key, in.Get(key))
			err = errors.Join(err, in.Delete(key))
		}
	}
	return err
}

// dropIncomplete removes the jobs whose payload is in parts that are not all
// there.
func (b *builder) dropIncomplete(lost func(job record)) error {
	var d decoder
	var incomplete []edit
	jobs, parts := b.tx.Bucket(bucketJobs), b.tx.Bucket(bucketParts)
	err := eachJob(jobs, func(key, value []byte) error {
		j, err := d.job(key, value)
		if err != nil {
			return fmt.Errorf("a record changed on its way: %w", err)
		}
		if j.count > 0 && isIncomplete(j, key, parts.Bucket(key)) {
			incomplete = append(incomplete, edit{id: j.ID})
			b.jobs--
			b.ledger.remove(kindJobs, key, value)
			lost(j)
		}
		return nil
	})
	return errors.Join(err, b.edit(incomplete, func([]byte, []edit) ([]byte, error) { return nil, nil }))
}

func isIncomplete(j record, key []byte, parts *bbolt.Bucket) bool {
	_, err := j.join(key, parts, new(ledger))
	return err != nil
}
