package bolt

import (
	"encoding/binary"
	"hash/fnv"
	"os"
	"time"

	"go.etcd.io/bbolt"
)

// A copy of a store does not know how often the original has been started since,
// or another copy. Were each to count on from where the copy was taken, both
// would give the same handles. So copies are marked for good, and the epoch of a
// marked store is the time of its start, in milliseconds since 1970, or what
// follows its last epoch if that is more. The count of an original, which rises
// by one with each start, never gets there, and two copies meet only if they are
// started in the same millisecond, or the clock is set back.
//
// The mark is in the meta pages, as the sequence number of bbolt's root bucket,
// which bbolt passes on from one transaction to the next and nothing else uses:
// there it can be put into a file that is not a database yet.
const copyMark = 1

func (m *meta) copied() bool { return m.sequence == copyMark }

// isCopy reports whether the store of tx is marked.
func isCopy(tx *bbolt.Tx) bool { return tx.Cursor().Bucket().Sequence() == copyMark }

// nextEpoch is the epoch of a start behind last. Where it is a time, it returns
// when that has passed, so that who starts afterwards has another, and so that a
// store that is started again and again does not run ahead of the clock. It does
// not wait for a clock that was set back.
func nextEpoch(last uint64, copied bool) uint64 {
	if !copied {
		return last + 1
	}
	now := func() uint64 { return uint64(max(time.Now().UnixMilli(), 0)) }
	epoch := max(last+1, now())
	for epoch >= now() && epoch-now() < 100 {
		time.Sleep(time.Millisecond)
	}
	return epoch
}

// markMeta marks a meta page.
func markMeta(page []byte) {
	body := page[pageHeader:metaSize]
	binary.NativeEndian.PutUint64(body[24:], copyMark)
	sum := fnv.New64a()
	sum.Write(body[:56])
	binary.NativeEndian.PutUint64(body[56:], sum.Sum64())
}

// markFile marks a whole file that is not open as a database.
func markFile(f *os.File) error {
	m, err := readMeta(f, 0)
	if err != nil {
		return err
	}
	for _, off := range []int64{0, m.pageSize} {
		page := make([]byte, metaSize)
		if _, err := f.ReadAt(page, off); err != nil {
			return err
		}
		markMeta(page)
		if _, err := f.WriteAt(page, off); err != nil {
			return err
		}
	}
	return nil
}
