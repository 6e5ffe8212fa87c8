package bolt

import (
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"gearbolt/persist"
	"gearbolt/persist/internal/inbox"
)

// An item is one change on its way into the file.
type item struct {
	change *persist.Change
	err    error // why it is refused, if it is
}

func (it *item) isPut() bool { return it.change.Kind == persist.PutJob }

// A writer is what the writing goroutine keeps from one group to the next.
type writer struct {
	items  []item
	edits  []edit
	packs  packs
	arena  arena
	record []byte
	pause  time.Time // until then no job is tried, since the disk was full
}

// serve writes a group of Commits and answers them.
func (s *Store) serve(group []inbox.Commit) {
	items := s.writer.items[:0]
	for _, c := range group {
		for i := range c.Changes {
			items = append(items, item{change: &c.Changes[i]})
		}
	}
	err := s.keep(items)
	rest := items
	for _, c := range group {
		n := len(c.Changes)
		if err != nil {
			c.Done(err)
		} else {
			c.Done(refused(rest[:n]))
		}
		rest = rest[n:]
	}
	clear(items)
	s.writer.items = items
}

// refused returns the error for a Commit whose changes were items.
func refused(items []item) error {
	var r []persist.Refusal
	for i := range items {
		if items[i].err != nil {
			r = append(r, persist.Refusal{Index: i, Err: items[i].err})
		}
	}
	if r == nil {
		return nil
	}
	return &persist.RefusedError{Refused: r}
}

// keep writes items in one transaction. If the disk is full it refuses jobs, so
// that what makes room, or takes none, is kept. Its error is a fatal one.
func (s *Store) keep(items []item) error {
	s.refuseLarge(items)
	if time.Now().Before(s.writer.pause) {
		refusePuts(items, persist.ErrFull)
	}
	start := time.Now()
	err := s.transact(items)
	if !errors.Is(err, persist.ErrFull) {
		return err
	}
	// A quota or a fragmented file can be full without the soft limit having
	// seen it. Finding out costs a rollback, which looks through the whole tree:
	// spend most of the time on something better, but notice within a second
	// that there is room again.
	s.writer.pause = time.Now().Add(min(8*time.Since(start), time.Second/2))
	refusePuts(items, err)
	_, err = s.squeeze(items)
	return err
}

// refuseLarge refuses what bbolt could not keep.
func (s *Store) refuseLarge(items []item) {
	for i := range items {
		switch c := items[i].change; c.Kind {
		case persist.PutJob:
			if n := jobSize(c.Job); n > s.options.MaxRecord {
				items[i].err = fmt.Errorf("%w: %d bytes, at most %d are allowed", persist.ErrTooLarge, n, s.options.MaxRecord)
			}
		case persist.SetLimit:
			if n := len(c.Limit.Function); n >= bbolt.MaxKeySize {
				items[i].err = fmt.Errorf("%w: a function's name of %d bytes", persist.ErrTooLarge, n)
			}
		}
	}
}

func refusePuts(items []item, why error) {
	for i := range items {
		if items[i].isPut() && items[i].err == nil {
			items[i].err = why
		}
	}
}

// squeeze writes items in transactions that are halved until they fit. When
// even a single change does not, neither will the others: it refuses them all,
// and reports that there is no room.
func (s *Store) squeeze(items []item) (ok bool, err error) {
	err = s.transact(items)
	if !errors.Is(err, persist.ErrFull) {
		return err == nil, err
	}
	if len(items) == 1 {
		items[0].err = err
		return false, nil
	}
	half := len(items) / 2
	if ok, err = s.squeeze(items[:half]); ok {
		return s.squeeze(items[half:])
	}
	refuseAll(items[half:], persist.ErrFull)
	return false, err
}

func refuseAll(items []item, why error) {
	for i := range items {
		if items[i].err == nil {
			items[i].err = why
		}
	}
}

// transact writes those items that are not refused, and perhaps refuses some
// more. It returns an ErrFull if there was no room and nothing has changed; any
// other error is fatal.
func (s *Store) transact(items []item) error {
	if err := s.failure(); err != nil {
		return err
	}
	if !anyLeft(items) {
		return nil
	}
	err := s.guarded(func() error { return s.try(items) })
	if err != nil && !errors.Is(err, persist.ErrFull) {
		return s.fail(err)
	}
	return err
}

func anyLeft(items []item) bool {
	for i := range items {
		if items[i].err == nil {
			return true
		}
	}
	return false
}

// try is transact without its care for what is fatal.
func (s *Store) try(items []item) error {
	if !s.counted { // the numbers of its jobs would be given again
		return fmt.Errorf("store %s: Commit without Load", s.path)
	}
	tx, err := s.db.Begin(true)
	if err != nil {
		return fmt.Errorf("store %s: %w", s.path, err)
	}
	id := tx.ID()
	after, err := s.apply(tx, items)
	if err != nil {
		tx.Rollback()
		if errors.Is(err, errDamaged) {
			return s.refuse("%w", err)
		}
		return fmt.Errorf("store %s: %w", s.path, err)
	}
	if err = s.commit(tx); err == nil {
		s.ledger = after
		s.reserve()
		return s.named()
	}
	if noRoom := full(err); noRoom != nil && s.visible() < id {
		return noRoom
	}
	return fmt.Errorf("store %s: nobody knows what is on the disk: %w", s.path, err)
}

// visible returns the number of the newest transaction that a reader sees. One
// that failed and is seen nevertheless may or may not be on the disk.
func (s *Store) visible() (id int) {
	s.db.View(func(tx *bbolt.Tx) error {
		id = tx.ID()
		return nil
	})
	return id
}

// named refuses to call kept what is in a file without a name: when somebody has
// deleted or replaced it, nobody will ever read it again.
func (s *Store) named() error {
	var stat unix.Stat_t
	if err := unix.Fstat(int(s.file.Fd()), &stat); err != nil || stat.Nlink > 0 {
		return nil
	}
	return fmt.Errorf("store %s: the file was deleted or replaced while the server ran; what was acknowledged is lost "+
		"unless a copy of it is put back", s.path)
}
