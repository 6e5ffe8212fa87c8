package bolt

import (
	"encoding/binary"
	"fmt"

	"gearbolt/persist"
)

// What bbolt does for a job it does for its key: it looks for the page, puts
// the key into it, and writes its element. So jobs share keys: several records
// stand in one value, a pack, under the number of the first of them. A record
// is the same, alone or in a pack, and is sealed by itself, so that damage to
// one is no damage to its neighbours.
const (
	packed = 3 // a pack, where other values have the version of their only record

	// packSize is the most bytes that a pack has. Two of them, with their keys,
	// fill a page of 4 KiB, and bbolt wants two in each. With half of it the last
	// page, which appending writes again each time, would not run over into
	// another one; but large batches cost a third more (BenchmarkCost), and for
	// small ones that page makes no difference. A larger record stands alone.
	packSize = (4<<10-pageHeader)/2 - elementSize - keySize

	packHeadSize = crcSize + 1 + 2 // and a startSize for each record
	startSize    = 2
)

// packRoom is the most that the tree has for a job beyond its record: a number
// and a place in a pack, and two more keys where it cuts a pack into three.
const packRoom = keySize + startSize + 2*(elementSize+keySize+packHeadSize)

// A pack is what stands under one key of bucket jobs: records in rising order of
// their numbers. The zero pack has none.
type pack struct {
	key   []byte
	value []byte
	count int
	alone bool // the value is the record
}

// isPack tells packs from lone records, and from what else there is in a store:
// all attempts are shorter, and other keys are not as long, but for those of some
// limits, whose version is another.
func isPack(key, value []byte) bool {
	return len(key) == keySize && len(value) > attemptsSize && value[crcSize] == packed
}

// openPack takes a value of bucket jobs apart. Where it is damaged, what can be
// told of its records is in the pack nevertheless; they may be others than it
// had.
func openPack(key, value []byte) (p pack, err error) {
	if !isPack(key, value) {
		if len(value) <= crcSize {
			err = fmt.Errorf("%w: %d bytes", errDamaged, len(value))
		}
		return pack{key, value, 1, true}, err
	}
	p = pack{key: key, value: value}
	p.count = int(binary.BigEndian.Uint16(value[crcSize+1:]))
	most := (len(value) - packHeadSize) / startSize
	if p.count > most {
		p.count = most
		return p, fmt.Errorf("%w: too many records for %d bytes", errDamaged, len(value))
	}
	if _, err := unseal(key, value[:p.headSize()]); err != nil {
		return p, err
	}
	return p, p.inOrder()
}

// inOrder fails unless the records follow each other, from the first, whose
// number is the key.
func (p *pack) inOrder() error {
	if p.count < 2 || p.start(0) != p.headSize() {
		return fmt.Errorf("%w: a pack of %d records", errDamaged, p.count)
	}
	if first, _ := p.at(0); string(first) != string(p.key) {
		return fmt.Errorf("%w: a pack under the number of another", errDamaged)
	}
	for i := range p.count {
		if number, _ := p.at(i); number == nil || i > 0 && p.id(i-1).Compare(p.id(i)) >= 0 {
			return fmt.Errorf("%w: a pack whose records are not in order", errDamaged)
		}
	}
	return nil
}

func (p *pack) headSize() int { return packHeadSize + startSize*p.count }

// start returns where record i begins, or all of them end.
func (p *pack) start(i int) int {
	if i == p.count {
		return len(p.value)
	}
	return int(binary.BigEndian.Uint16(p.value[packHeadSize+startSize*i:]))
}

// at returns the number and the value of record i, as they would stand alone, or
// nil if there can be none.
func (p *pack) at(i int) (number, value []byte) {
	if p.alone {
		return p.key, p.value
	}
	from, to := p.start(i), p.start(i+1)
	if from+keySize+crcSize >= to || to > len(p.value) {
		return nil, nil
	}
	b := p.value[from:to:to]
	return b[:keySize:keySize], b[keySize:]
}

// id returns the number of record i of a pack that is not damaged.
func (p *pack) id(i int) persist.JobID {
	number, _ := p.at(i)
	return idOf(number)
}

// find returns the value of the record with this number, or nil.
func (p *pack) find(id persist.JobID) []byte {
	for i := range p.count {
		if number, value := p.at(i); len(number) == keySize && idOf(number) == id {
			return value
		}
	}
	return nil
}

// idOf returns the job number of a key that is known to be one.
func idOf(key []byte) persist.JobID {
	return persist.JobID{Epoch: binary.BigEndian.Uint64(key), Seq: binary.BigEndian.Uint64(key[8:])}
}

// An unpackedElement is a record of a leaf page. err is what is wrong with the
// pack that it is of: there may have been others.
type unpackedElement struct {
	element
	err error
}

// unpacked returns the elements of a leaf with packs taken apart.
func unpacked(elements []element) []unpackedElement {
	all := make([]unpackedElement, 0, len(elements))
	for _, e := range elements {
		if e.bucket || !isPack(e.key, e.value) {
			all = append(all, unpackedElement{element: e})
			continue
		}
		p, err := openPack(e.key, e.value)
		if err != nil { // so that it is told even if no record is
			err = fmt.Errorf("its pack: %w", err)
			all = append(all, unpackedElement{element{key: e.key}, err})
		}
		for i := range p.count {
			if number, value := p.at(i); number != nil {
				all = append(all, unpackedElement{element{key: number, value: value}, err})
			}
		}
	}
	return all
}

// A packing is a pack in the making: records that are put one behind the other.
// Its memory is used again for the next.
type packing struct {
	numbers []persist.JobID
	ends    []int  // of the records in body
	body    []byte // copies of them
	alone   []byte // the only one, if it is larger than a pack
}

func (p *packing) clear() {
	p.numbers, p.ends, p.body, p.alone = p.numbers[:0], p.ends[:0], p.body[:0], nil
}

// fits reports whether a record may be put behind those that there are.
func (p *packing) fits(value []byte) bool {
	n := len(p.numbers)
	return n == 0 || p.alone == nil && packHeadSize+(n+1)*(startSize+keySize)+len(p.body)+len(value) <= packSize
}

// add puts a record behind the others. One that is larger than a pack is not
// copied.
func (p *packing) add(id persist.JobID, value []byte) {
	p.numbers = append(p.numbers, id)
	if len(value) > packSize {
		p.alone = value
		return
	}
	p.body = append(p.body, value...)
	p.ends = append(p.ends, len(p.body))
}

// seal returns what is to stand in the bucket, in memory of the arena.
func (p *packing) seal(a *arena) (key, value []byte) {
	key = appendKey(a.take(keySize), p.numbers[0])
	switch n := len(p.numbers); {
	case p.alone != nil:
		return key, p.alone
	case n == 1:
		return key, append(a.take(len(p.body)), p.body...)
	default:
		head := packHeadSize + n*startSize
		return key, p.appendRecords(p.appendHead(a.take(head+n*keySize+len(p.body)), key))
	}
}

func (p *packing) appendHead(b, key []byte) []byte {
	b = append(b, 0, 0, 0, 0, packed)
	b = binary.BigEndian.AppendUint16(b, uint16(len(p.numbers)))
	start, from := packHeadSize+startSize*len(p.numbers), 0
	for _, to := range p.ends {
		b = binary.BigEndian.AppendUint16(b, uint16(start))
		start, from = start+keySize+to-from, to
	}
	seal(key, b)
	return b
}

func (p *packing) appendRecords(b []byte) []byte {
	from := 0
	for i, to := range p.ends {
		b = append(appendKey(b, p.numbers[i]), p.body[from:to]...)
		from = to
	}
	return b
}
