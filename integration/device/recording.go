package device

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"
)

// sector is what a disk writes whole or not at all, in bytes.
const sector = 512

// superblock is where that of ext4 is, which takes two sectors and has a
// checksum: with one half of it, the file system cannot be mounted, whatever is
// in it. It is written when the file system is mounted and unmounted, and is not
// torn here.
const superblock = 1024

// A Moment is a time by the clock of the recorded disks.
type Moment time.Duration

// Now is the time by that clock.
func Now() Moment { return Moment(monotonic()) }

type entryKind uint32

const (
	entryWrite entryKind = 1 + iota
	entryFlush
)

// entryHeader is the length in bytes of what stands before the data of an
// entry: its kind and the data's length (32 bits each), the data's offset on
// the disk or how many entries a flush covers, and the time.
const entryHeader = 4 + 4 + 8 + 8

// An entry of the log.
type entry struct {
	kind   entryKind
	at     int64 // offset of a write; how many entries a flush covers
	moment Moment
	data   []byte
}

// A Recording is what was written to a disk, in order.
type Recording struct {
	base    *Image
	entries []entry
	end     Moment
}

func readRecording(base *Image, log *os.File, n int) (*Recording, error) {
	rec := &Recording{base: base, end: Now()}
	in := io.NewSectionReader(log, 0, 1<<62)
	for range n {
		var h [entryHeader]byte
		if _, err := io.ReadFull(in, h[:]); err != nil {
			return nil, fmt.Errorf("log of a disk: %w", err)
		}
		e := entry{
			kind:   entryKind(binary.LittleEndian.Uint32(h[:])),
			data:   make([]byte, binary.LittleEndian.Uint32(h[4:])),
			at:     int64(binary.LittleEndian.Uint64(h[8:])),
			moment: Moment(binary.LittleEndian.Uint64(h[16:])),
		}
		if _, err := io.ReadFull(in, e.data); err != nil {
			return nil, fmt.Errorf("log of a disk: %w", err)
		}
		rec.entries = append(rec.entries, e)
	}
	return rec, nil
}

// Len is how many writes and flushes there are: the disk may be cut off before
// each, and after the last.
func (rec *Recording) Len() int { return len(rec.entries) }

// Moment is when a cut at n happens: what anybody knew until then, they knew
// with n writes and flushes done.
func (rec *Recording) Moment(n int) Moment {
	if n == len(rec.entries) {
		return rec.end
	}
	return rec.entries[n].moment
}

// After is the first cut that happens after a moment.
func (rec *Recording) After(m Moment) int {
	for i, e := range rec.entries {
		if e.moment > m {
			return i
		}
	}
	return len(rec.entries)
}

// Cut returns what is on the disk when the power fails after n writes and
// flushes. What was written before the last flush is there. Of the rest, chance
// says: all or nothing; or some of the writes, whole or in some of their
// sectors only. A later one may be there without an earlier one.
func (rec *Recording) Cut(n int, chance *rand.Rand) (*Image, error) {
	im, err := rec.base.Clone()
	if err != nil {
		return nil, err
	}
	kept := 0
	for _, e := range rec.entries[:n] {
		if e.kind == entryFlush {
			kept = max(kept, int(e.at))
		}
	}
	fate := drawFate(chance)
	for i, e := range rec.entries[:n] {
		if e.kind != entryWrite {
			continue
		}
		if i < kept {
			_, err = im.file.WriteAt(e.data, e.at)
		} else {
			err = fate.write(im.file, e)
		}
		if err != nil {
			im.Close()
			return nil, err
		}
	}
	return im, nil
}

// A fate is what becomes of writes that no flush has followed.
type fate struct {
	chance *rand.Rand
	whole  float64 // how many get through whole
	torn   float64 // and how many in part
}

func drawFate(chance *rand.Rand) fate {
	switch chance.IntN(4) {
	case 0:
		return fate{chance, 1, 0}
	case 1:
		return fate{chance, 0, 0}
	case 2:
		return fate{chance, chance.Float64(), 0}
	}
	whole := chance.Float64()
	return fate{chance, whole, 1 - whole}
}

func (f fate) write(to *os.File, e entry) error {
	switch p := f.chance.Float64(); {
	case p < f.whole:
		_, err := to.WriteAt(e.data, e.at)
		return err
	case p >= f.whole+f.torn:
		return nil
	}
	through := false
	for i := 0; i < len(e.data); i += sector {
		at := e.at + int64(i)
		if at != superblock+sector || i == 0 {
			through = f.chance.IntN(2) == 0
		}
		if !through {
			continue
		}
		if _, err := to.WriteAt(e.data[i:min(i+sector, len(e.data))], at); err != nil {
			return err
		}
	}
	return nil
}
