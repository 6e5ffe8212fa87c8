package router

import "iter"

// An ability is a connection's registration for a function (CAN_DO). A worker
// may have tens of thousands, and all of its kind may lose their connections at
// once: so abilities lie in slabs and have no pointers, but know their
// connection, their function and each other by numbers. A million of them cost
// the garbage collector nothing, neither while they stay nor when they go and
// come.
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
type abilityRef = ref[ability]

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

// abilities is where all abilities lie.
type abilities struct{ slabs[ability] }

// add returns a new ability.
func (t *abilities) add() *ability {
	ref, a := t.slabs.add()
	a.ref = ref
	return a
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
