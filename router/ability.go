package router

import "iter"

// An ability is a connection's registration for a function (CAN_DO). A worker
// may have tens of thousands, and all of its kind may lose their connections at
// once: so abilities have no pointers, but know their connection, their function
// and each other by numbers. A million of them cost the garbage collector
// nothing, neither while they stay nor when they go and come.
type ability struct {
	ref    abilityRef
	conn   seat // in Machine.connAt
	fn     seat // in Machine.functionAt
	awake  bool // it is in conn.awake, and not in fn.sleepers
	chains [chains]chainLink

	times   int   // how often the connection said CAN_DO; gearmand counts each
	timeout int64 // CAN_DO_TIMEOUT in nanoseconds; 0: none
	turn    int64 // the lower the earlier; see Machine.choose
	since   int64 // when it was last registered, in the connection's count
}

// An abilityRef is the number of an ability; 0 is none.
type abilityRef uint32

// A chain is one of the lists that an ability is in.
type chain uint8

const (
	byTurn  chain = iota // conn.turns
	bySleep              // fn.sleepers or conn.awake
	chains
)

type chainLink struct{ prev, next abilityRef }

// An abilityList is a list of abilities, chained one way or the other.
type abilityList struct {
	first, last abilityRef
	n           int
}

// abilities is where all abilities lie: in slabs, which come and go as memory.
type abilities struct {
	slabs []*slab
	rooms []room
	open  []seat // the slabs that have room; the last one is used
	spare []seat // places in slabs without one
}

// slabSize is how many abilities lie in a slab, of 16 KiB.
const slabSize = 256

type slab [slabSize]ability

// A room is what is known of a slab.
type room struct {
	n      int        // abilities in it
	free   abilityRef // the first of those that were given back; their first chain leads on
	used   int        // those behind were never used
	openAt int        // its place in open, from 1; 0: it is full
}

func (t *abilities) at(ref abilityRef) *ability { return &t.slabs[(ref-1)/slabSize][(ref-1)%slabSize] }

// add returns a new ability.
func (t *abilities) add() *ability {
	if len(t.open) == 0 {
		t.addSlab()
	}
	at := t.open[len(t.open)-1]
	r := &t.rooms[at]
	ref := r.free
	if ref != 0 {
		r.free = t.at(ref).chains[0].next
	} else {
		ref = abilityRef(at)*slabSize + abilityRef(r.used) + 1
		r.used++
	}
	if r.n++; r.n == slabSize {
		t.shut(at)
	}
	a := t.at(ref)
	*a = ability{ref: ref}
	return a
}

// drop gives an ability back, which is in no list.
func (t *abilities) drop(a *ability) {
	at := seat((a.ref - 1) / slabSize)
	r := &t.rooms[at]
	a.chains[0].next, r.free = r.free, a.ref
	if r.n--; r.openAt == 0 {
		t.open = append(t.open, at)
		r.openAt = len(t.open)
	}
	if r.n == 0 && len(t.open) > 1 {
		t.shut(at)
		t.slabs[at], *r = nil, room{}
		t.spare = append(t.spare, at)
	}
}

// addSlab makes room in a new slab.
func (t *abilities) addSlab() {
	var at seat
	if n := len(t.spare); n > 0 {
		at, t.spare = t.spare[n-1], t.spare[:n-1]
	} else {
		at = seat(len(t.slabs))
		t.slabs, t.rooms = append(t.slabs, nil), append(t.rooms, room{})
	}
	t.slabs[at] = new(slab)
	t.open = append(t.open, at)
	t.rooms[at].openAt = len(t.open)
}

// shut takes a slab out of those that have room.
func (t *abilities) shut(at seat) {
	r, last := &t.rooms[at], len(t.open)-1
	moved := t.open[last]
	t.open[r.openAt-1], t.rooms[moved].openAt = moved, r.openAt
	t.open, r.openAt = t.open[:last], 0
}

func (t *abilities) pushBack(l *abilityList, by chain, a *ability) {
	a.chains[by] = chainLink{prev: l.last}
	if l.last == 0 {
		l.first = a.ref
	} else {
		t.at(l.last).chains[by].next = a.ref
	}
	l.last = a.ref
	l.n++
}

func (t *abilities) pushFront(l *abilityList, by chain, a *ability) {
	a.chains[by] = chainLink{next: l.first}
	if l.first == 0 {
		l.last = a.ref
	} else {
		t.at(l.first).chains[by].prev = a.ref
	}
	l.first = a.ref
	l.n++
}

// remove takes a out of the list that it is in.
func (t *abilities) remove(l *abilityList, by chain, a *ability) {
	k := a.chains[by]
	if k.prev == 0 {
		l.first = k.next
	} else {
		t.at(k.prev).chains[by].next = k.next
	}
	if k.next == 0 {
		l.last = k.prev
	} else {
		t.at(k.next).chains[by].prev = k.prev
	}
	a.chains[by] = chainLink{}
	l.n--
}

// all yields the abilities from first to last. The one that it is at may be
// taken out, and dropped, meanwhile.
func (t *abilities) all(l *abilityList, by chain) iter.Seq[*ability] {
	return func(yield func(*ability) bool) {
		for ref := l.first; ref != 0; {
			a := t.at(ref)
			ref = a.chains[by].next
			if !yield(a) {
				return
			}
		}
	}
}
