package router

// A list is a doubly linked list whose links lie in its elements, so that to
// move an element costs no memory and to take it out needs no search.
type list[T any] struct {
	first, last *link[T]
	n           int
}

// A link is an element's place in one list at a time.
type link[T any] struct {
	prev, next *link[T]
	in         *list[T] // nil: in no list
	of         T        // the element that the link lies in
}

func (l *list[T]) pushBack(k *link[T]) {
	k.in, k.prev, k.next = l, l.last, nil
	if l.last == nil {
		l.first = k
	} else {
		l.last.next = k
	}
	l.last = k
	l.n++
}

// remove takes k out of the list that it is in, if any.
func (k *link[T]) remove() {
	l := k.in
	if l == nil {
		return
	}
	if k.prev == nil {
		l.first = k.next
	} else {
		k.prev.next = k.next
	}
	if k.next == nil {
		l.last = k.prev
	} else {
		k.next.prev = k.prev
	}
	l.n--
	k.in, k.prev, k.next = nil, nil, nil
}

// all yields the elements from first to last. The one that it is at may be
// taken out meanwhile. A list that is nil has none.
func (l *list[T]) all(yield func(T) bool) {
	if l == nil {
		return
	}
	for k := l.first; k != nil; {
		next := k.next
		if !yield(k.of) {
			return
		}
		k = next
	}
}
