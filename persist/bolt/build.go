package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"go.etcd.io/bbolt"
)

// A builder fills a new store's file with records that are as they were stored.
type builder struct {
	path string
	db   *bbolt.DB
	tx   *bbolt.Tx
	size int // of what tx holds, in bytes

	epoch uint64 // the greatest that was met
	jobs  int64
}

// builtAtOnce is how many bytes of records are written in one transaction.
const builtAtOnce = 16 << 20

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
	b.size = 0
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
		b.epoch = max(b.epoch, r.job.ID.Epoch)
	}
	in := b.tx.Bucket(r.kind.bucket())
	if r.kind == kindParts {
		if in, err = in.CreateBucketIfNotExists(r.key[:keySize]); err != nil {
			return false, err
		}
	}
	if old := in.Get(r.key); old != nil && !(r.kind == kindAttempts && moreAttempts(r.value, old)) {
		return false, nil
	}
	in.FillPercent = 1
	if err := in.Put(r.key, r.value); err != nil {
		return false, err
	}
	if r.kind == kindJobs {
		b.jobs++
	}
	b.size += len(r.key) + len(r.value)
	if b.size < builtAtOnce {
		return true, nil
	}
	return true, errors.Join(b.tx.Commit(), b.begin())
}

func moreAttempts(a, b []byte) bool { return bytes.Compare(a[crcSize:], b[crcSize:]) > 0 }

// finish puts the file on stable storage, as a copy if it is one, and with the
// owner and the mode of the original.
func (b *builder) finish(copied bool, original fs.FileInfo) error {
	err := errors.Join(putNumber(b.tx.Bucket(bucketMeta), keyEpoch, b.epoch), b.tx.Commit())
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
	if err := b.dropIncomplete(lost); err != nil {
		return err
	}
	jobs := b.tx.Bucket(bucketJobs)
	for _, k := range []kind{kindAttempts, kindParts} {
		var orphans [][]byte
		in := b.tx.Bucket(k.bucket())
		err := in.ForEach(func(key, _ []byte) error {
			if jobs.Get(key) == nil {
				orphans = append(orphans, bytes.Clone(key))
			}
			return nil
		})
		for _, key := range orphans {
			if k == kindParts {
				err = errors.Join(err, in.DeleteBucket(key))
			} else {
				err = errors.Join(err, in.Delete(key))
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// dropIncomplete removes the jobs whose payload is in parts that are not all
// there.
func (b *builder) dropIncomplete(lost func(job record)) error {
	var d decoder
	var incomplete [][]byte
	jobs, parts := b.tx.Bucket(bucketJobs), b.tx.Bucket(bucketParts)
	err := jobs.ForEach(func(key, value []byte) error {
		j, err := d.job(key, value)
		if err != nil {
			return fmt.Errorf("a record changed on its way: %w", err)
		}
		if j.count > 0 && isIncomplete(j, key, parts.Bucket(key)) {
			incomplete = append(incomplete, bytes.Clone(key))
			lost(j)
		}
		return nil
	})
	for _, key := range incomplete {
		b.jobs--
		err = errors.Join(err, jobs.Delete(key))
	}
	return err
}

func isIncomplete(j record, key []byte, parts *bbolt.Bucket) bool {
	_, err := j.join(key, parts)
	return err != nil
}
