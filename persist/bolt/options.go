package bolt

import (
	"errors"
	"fmt"
	"math"

	"go.etcd.io/bbolt"
)

const (
	fileName = "gearbolt.db"
	lockName = "LOCK"

	// growStep is by how much bbolt makes its file longer at a time, in bytes.
	// Near MaxSize it stops one step early.
	growStep = 16 << 20

	// maxRecord is the largest record in bytes. bbolt lets up to four records
	// share a page and writes down their places in it as 32-bit offsets, so
	// that larger ones could not be found again.
	maxRecord = 1 << 30

	// mapSize is how much address space is set aside for the file at once.
	// It costs no memory, and spares the file's readers and its writer from
	// waiting for each other to map it anew whenever it outgrows the last
	// mapping. A larger file is still mapped whole.
	mapSize = 16 << 30

	// defaultMinFree leaves room for two steps of growth and for the copies
	// that every change to the tree makes before the old pages are free.
	defaultMinFree = 64 << 20

	minMaxSize = 4 * growStep
)

// Options say where a store is and how much it may hold. Only Dir is needed.
type Options struct {
	// Dir is the directory of the store, which nobody else writes to. It is
	// made, with mode 0700, if it is missing.
	Dir string

	// MaxSize is how large the store's file may become, in bytes; 0 means as
	// large as it gets, and anything else is at least 64 MiB. The file grows
	// in steps of 16 MiB.
	MaxSize int64

	// MinFree is how much room must be left, in bytes, for a job to be
	// accepted: so that jobs can still be finished, and forgotten, when no
	// more fit in. Room is what the file system has free, or what MaxSize
	// leaves, and what deleted jobs left in the file. 0 means 64 MiB. Of
	// MaxSize it takes a quarter at most: a small store is to hold something.
	MinFree int64

	// MaxRecord is the largest job that is accepted: all its fields together,
	// in bytes. 0 means 1 GiB, and more is not possible.
	MaxRecord int

	// UnsafeNoFsync makes the store tell of changes that a power cut may
	// still undo, or that may leave a damaged file. For tests and benchmarks.
	UnsafeNoFsync bool
}

// filled returns o with its defaults, or an error if it makes no sense.
func (o Options) filled() (Options, error) {
	switch {
	case o.Dir == "":
		return o, errors.New("store: no directory given")
	case o.MaxSize != 0 && o.MaxSize < minMaxSize:
		return o, fmt.Errorf("store: a maximum size of %d bytes: at least %d are needed", o.MaxSize, minMaxSize)
	case o.MinFree < 0:
		return o, fmt.Errorf("store: a minimum of %d free bytes", o.MinFree)
	case o.MaxRecord < 0 || o.MaxRecord > maxRecord:
		return o, fmt.Errorf("store: a maximum of %d bytes for a job: more than %d are not possible", o.MaxRecord, maxRecord)
	}
	if o.MinFree == 0 {
		o.MinFree = defaultMinFree
	}
	if o.MaxRecord == 0 {
		o.MaxRecord = maxRecord
	}
	return o, nil
}

// keptOfMaxSize is MinFree where MaxSize sets the bound.
func (o Options) keptOfMaxSize() int64 { return min(o.MinFree, o.MaxSize/4) }

// bbolt returns the options of the library.
//
// The list of free pages is not kept in the file (NoFreelistSync): it would be
// written whole with every commit, and after a long queue has drained that is
// megabytes each time. Instead it is worked out when the file is opened, from
// the tree that is read then anyway; the price is a fraction of a second for a
// million jobs, and as much when a commit is rolled back because the disk is
// full. A list that is not there cannot be damaged either.
func (o Options) bbolt() *bbolt.Options {
	b := &bbolt.Options{
		Timeout:        lockTimeout,
		FreelistType:   bbolt.FreelistMapType,
		NoFreelistSync: true,
		NoSync:         o.UnsafeNoFsync,
		MaxSize:        int(min(o.MaxSize, math.MaxInt)),
	}
	if math.MaxInt > math.MaxInt32 {
		b.InitialMmapSize = mapSize & math.MaxInt
	}
	return b
}
