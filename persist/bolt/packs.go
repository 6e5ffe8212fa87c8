package bolt

import (
	"bytes"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"gearbolt/persist"
)

// An edit is one of the changes to a job, the nth of whatever they are of.
type edit struct {
	id persist.JobID
	n  int
}

func (a edit) compare(b edit) int {
	if c := a.id.Compare(b.id); c != 0 {
		return c
	}
	return a.n - b.n
}

// packs edits the bucket of the jobs. The packs have the ranges from their keys
// up to those of the next ones, which never overlap.
//
// First it reads, from left to right, the packs that there is something to do
// to, and notes what is to stand in their place; and then it writes that. In
// between bbolt's cursor would lose its way, which does not step back over a
// page that a delete has emptied.
type packs struct {
	bucket *bbolt.Bucket
	cursor *bbolt.Cursor
	arena  *arena

	// resolve returns what is to stand in the place of a job's record, nil
	// standing for none, after its edits, of which there is one at least. What it
	// returns stays as it is until it is called again, and what is larger than a
	// pack until the end of the transaction.
	resolve func(old []byte, edits []edit) ([]byte, error)

	sparing bool // of pages: the disk is full, and pages that are joined take more at first
	next    pack // the one behind that which was read, at the cursor; if there is one
	pending packing
	kept    int // of pending, records that stay as they are
	old     pack
	oldGone bool // nothing stands under its key any more
	planned []planned
}

// A planned is what is to stand under a key; no value: nothing.
type planned struct {
	key, value []byte
	shrunk     bool // there was much more
}

// edit carries out edits, which it puts into their order.
func (p *packs) edit(edits []edit) error {
	if !slices.IsSortedFunc(edits, edit.compare) {
		slices.SortFunc(edits, edit.compare)
	}
	p.cursor, p.planned = p.bucket.Cursor(), p.planned[:0]
	for len(edits) > 0 {
		if err := p.read(edits[0].id); err != nil {
			return err
		}
		n := 1
		for n < len(edits) && p.below(edits[n].id) {
			n++
		}
		if err := p.merge(edits[:n]); err != nil {
			return err
		}
		edits = edits[n:]
	}
	err := p.write()
	// Its buckets would keep a transaction's pages in memory until the next one.
	*p = packs{pending: p.pending, planned: p.planned}
	return err
}

// below reports whether id is in the range of the pack that was read.
func (p *packs) below(id persist.JobID) bool {
	return p.next.key == nil || id.Compare(idOf(p.next.key)) < 0
}

// read makes old the pack in whose range id is. There is none in front of the
// first.
func (p *packs) read(id persist.JobID) (err error) {
	var key, value []byte
	if p.next.key != nil { // jobs that go mostly go in their order
		key, value = p.next.key, p.next.value
		p.next.key, p.next.value = p.cursor.Next()
	}
	if key == nil || !p.below(id) {
		if key, value = seekPack(p.cursor, appendKey(p.arena.take(keySize), id)); key != nil {
			p.next.key, p.next.value = p.cursor.Next()
		} else {
			p.next.key, p.next.value = p.cursor.First()
		}
	}
	if p.old = (pack{}); key == nil {
		return nil
	}
	if p.old, err = openPack(key, value); err != nil {
		return fmt.Errorf("jobs from %s on: %w", nameOf(key), err)
	}
	return nil
}

// seekPack returns what stands under the last key that is not behind this one,
// if there is one.
func seekPack(c *bbolt.Cursor, key []byte) (k, v []byte) {
	if k, v = c.Seek(key); string(k) != string(key) {
		k, v = c.Prev()
	}
	return k, v
}

// merge notes what becomes of the pack old.
func (p *packs) merge(edits []edit) error {
	p.pending.clear()
	p.kept, p.oldGone = 0, p.old.key != nil
	i := 0
	for len(edits) > 0 {
		id, n := edits[0].id, 1
		for n < len(edits) && edits[n].id == id {
			n++
		}
		for ; i < p.old.count && p.old.id(i).Compare(id) < 0; i++ {
			p.keep(i)
		}
		var old []byte
		if i < p.old.count && p.old.id(i) == id {
			_, old = p.old.at(i)
			i++
		}
		value, err := p.resolve(old, edits[:n])
		if err != nil {
			return err
		}
		if value != nil {
			p.add(id, value)
			if old != nil && &old[0] == &value[0] {
				p.kept++
			}
		}
		edits = edits[n:]
	}
	for ; i < p.old.count; i++ {
		p.keep(i)
	}
	if p.finish(); p.oldGone {
		p.planned = append(p.planned, planned{key: p.old.key})
	}
	return nil
}

// keep takes record i of old over.
func (p *packs) keep(i int) {
	_, value := p.old.at(i)
	p.add(p.old.id(i), value)
	p.kept++
}

// add puts a record behind those before, which become a pack of their own if
// that would be too large.
func (p *packs) add(id persist.JobID, value []byte) {
	if !p.pending.fits(value) {
		p.finish()
	}
	p.pending.add(id, value)
}

// finish notes the pending pack, unless it stands there already.
func (p *packs) finish() {
	n := len(p.pending.numbers)
	if n == 0 {
		return
	}
	if p.oldGone && p.pending.numbers[0] == idOf(p.old.key) {
		p.oldGone = false
	}
	if n != p.kept || n != p.old.count {
		key, value := p.pending.seal(p.arena)
		shrunk := !p.sparing && len(value) < packSize/2 && len(value) < len(p.old.value)
		p.planned = append(p.planned, planned{key, value, shrunk})
	}
	p.pending.clear()
	p.kept = 0
}

// write puts what was noted into the bucket. bbolt joins pages that have become
// too empty, but looks for them only where something was deleted.
func (p *packs) write() error {
	for _, n := range p.planned {
		if n.value == nil || n.shrunk {
			if err := p.bucket.Delete(n.key); err != nil {
				return err
			}
		}
		if n.value == nil {
			continue
		}
		if err := p.bucket.Put(n.key, n.value); err != nil {
			return err
		}
	}
	clear(p.planned)
	return nil
}

// findJob returns the value of a job's record, or nil.
func findJob(jobs *bbolt.Bucket, id persist.JobID) ([]byte, error) {
	key, value := seekPack(jobs.Cursor(), appendKey(nil, id))
	if key == nil {
		return nil, nil
	}
	p, err := openPack(key, value)
	if err != nil {
		return nil, fmt.Errorf("its pack: %w", err)
	}
	return p.find(id), nil
}

// eachJob calls f with the number and the value of each job's record, in order.
func eachJob(jobs *bbolt.Bucket, f func(key, value []byte) error) error {
	var last []byte
	return jobs.ForEach(func(key, value []byte) error {
		p, err := openPack(key, value)
		if err == nil && bytes.Compare(key, last) <= 0 {
			err = errOrder
		}
		if err != nil {
			return fmt.Errorf("jobs from %s on: %w", nameOf(key), err)
		}
		for i := range p.count {
			number, value := p.at(i)
			if err := f(number, value); err != nil {
				return err
			}
			last = number
		}
		return nil
	})
}
