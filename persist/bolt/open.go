package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"gearbolt/persist"
	"gearbolt/persist/internal/inbox"
)

// formatVersion is the format of the store's file as a whole, which the package
// comment describes. record.go says how to change it.
//
//	1  the first
//	2  large payloads are in parts
//	3  jobs are in packs, and there is a ledger
const formatVersion = 3

// formatLedger is the first format with a ledger.
const formatLedger = 3

// application is what bucket meta says this file is.
const application = "gearbolt store"

var (
	bucketMeta     = []byte("meta")
	bucketJobs     = []byte("jobs")
	bucketParts    = []byte("parts") // since format 2
	bucketAttempts = []byte("attempts")
	bucketLimits   = []byte("limits")

	// buckets are those that every file has, but for meta.
	buckets = [][]byte{bucketJobs, bucketParts, bucketAttempts, bucketLimits}

	keyApplication = []byte("application")
	keyFormat      = []byte("format")
	keyEpoch       = []byte("epoch")
	keyLedger      = []byte("ledger") // since format 3
)

// Open opens the store in o.Dir, and makes it if there is none. It refuses,
// with an error that says why, a store that another process has open, a file
// that is damaged, that a newer Gearbolt wrote or that something else wrote.
//
// Open writes nothing to a file that is there. [Store.Load] does, when all that
// it has read is good: so a start that is refused leaves the file as it was, and
// with it the pages that salvage may need.
func Open(o Options) (*Store, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	if err := MakeDir(o.Dir, -1, -1); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	lock, err := lockDir(o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Store{options: o, path: filepath.Join(o.Dir, fileName), lock: lock, commit: (*bbolt.Tx).Commit}
	s.inbox = inbox.New(s.serve)
	if err := s.open(); err != nil {
		s.release() // its own error would only hide the reason
		return nil, err
	}
	return s, nil
}

func (s *Store) open() error {
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := create(s.path); err != nil {
			return fmt.Errorf("store: %w", err)
		}
	case err != nil:
		return fmt.Errorf("store: %w", err)
	case !info.Mode().IsRegular():
		return s.refuse("it is not a file but a %s", kindOf(info.Mode()))
	case info.Size() == 0:
		return s.refuse("it is empty, which a store never is")
	}
	if err := s.inspect(); err != nil {
		return err
	}
	if err := s.openDB(); err != nil {
		return err
	}
	s.warnings = append(s.warnings, fileSystemWarnings(s.options.Dir)...)
	if err := s.guarded(s.look); err != nil {
		return err
	}
	s.reserve()
	return s.warnOfRoom()
}

func kindOf(m fs.FileMode) string {
	if m.IsDir() {
		return "directory"
	}
	return "special file"
}

// getNumber reads a sealed number of bucket meta. putNumber writes it.
func getNumber(b *bbolt.Bucket, key []byte) (uint64, error) {
	body, err := unseal(key, b.Get(key))
	if err != nil {
		return 0, err
	}
	if len(body) != 8 {
		return 0, fmt.Errorf("%w: a number of %d bytes", errDamaged, len(body))
	}
	return binary.BigEndian.Uint64(body), nil
}

func putNumber(b *bbolt.Bucket, key []byte, n uint64) error {
	value := binary.BigEndian.AppendUint64(make([]byte, crcSize), n)
	seal(key, value)
	return b.Put(key, value)
}

// openDB opens the file with bbolt, which panics at much of what may be wrong
// with it. The file is closed then nevertheless, and its lock with it.
func (s *Store) openDB() error {
	options := s.options.bbolt()
	options.OpenFile = func(path string, flag int, mode os.FileMode) (*os.File, error) {
		// Without O_CREATE: a file that was there a moment ago is not to be
		// replaced by an empty one.
		f, err := os.OpenFile(path, flag&^os.O_CREATE, mode)
		s.file = f
		return f, err
	}
	return s.guarded(func() error {
		db, err := bbolt.Open(s.path, 0o600, options)
		if errors.Is(err, berrors.ErrTimeout) {
			return fmt.Errorf("store %s: another process has locked the file", s.path)
		}
		if err != nil {
			return s.refuse("%w", err)
		}
		s.db = db
		return nil
	})
}

// look checks that the file is a store that this program understands, and works
// out which start this is.
func (s *Store) look() error {
	return s.db.View(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta == nil || !bytes.Equal(meta.Get(keyApplication), []byte(application)) {
			return errForeign(s.path)
		}
		if err := s.lookAtFormat(tx, meta); err != nil {
			return err
		}
		last, err := getNumber(meta, keyEpoch)
		if err != nil {
			return s.refuse("its count of starts: %w", err)
		}
		s.epoch = nextEpoch(last, isCopy(tx))
		return nil
	})
}

// lookAtFormat refuses a file of a newer format, and one that lacks what those
// of its format have.
func (s *Store) lookAtFormat(tx *bbolt.Tx, meta *bbolt.Bucket) error {
	v, err := getNumber(meta, keyFormat)
	if err != nil {
		return s.refuse("its format: %w", err)
	}
	if err := knownFormat(s.path, v); err != nil {
		return err
	}
	for _, name := range buckets {
		want := v > 1 || !bytes.Equal(name, bucketParts)
		switch have := tx.Bucket(name) != nil; {
		case want && !have:
			return s.refuse("it has no %s", name)
		case have && !want:
			return s.refuse("format %d with %s", v, name)
		}
	}
	return nil
}

// count writes down that this start has been, and makes a file of an older
// format one of the current format: what is in it stays as it is, and all of it,
// which Load has just read, goes into the ledger. That it can be done shows that
// the store can be written to.
func (s *Store) count() error {
	err := s.db.Update(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		_, err := tx.CreateBucketIfNotExists(bucketParts) // which format 1 lacks
		return errors.Join(err, putNumber(meta, keyFormat, formatVersion), putNumber(meta, keyEpoch, s.epoch), s.ledger.put(meta))
	})
	if err == nil {
		// Once more, so that both meta pages know of this start: if one is lost,
		// its number is not given again.
		err = s.db.Update(func(*bbolt.Tx) error { return nil })
	}
	if err != nil {
		return s.fail(fmt.Errorf("store %s: %w", s.path, err))
	}
	s.counted = true
	return nil
}

func errForeign(path string) error {
	return fmt.Errorf("store %s: a bbolt file, but not one of Gearbolt's", path)
}

func knownFormat(path string, v uint64) error {
	if v >= 1 && v <= formatVersion {
		return nil
	}
	return fmt.Errorf("store %s: its format is version %d, and this program knows versions 1 to %d: "+
		"a newer Gearbolt has used it; start that one, or restore a backup from before", path, v, formatVersion)
}

var _ persist.Store = (*Store)(nil)
