package router

// Seats number what comes and goes, by the lowest effort: a number that is no
// more in use is given again.
type seats[T any] struct {
	at   []*T
	free []seat
}

// A seat is such a number, from 0.
type seat uint32

func (s *seats[T]) take(x *T) seat {
	if n := len(s.free); n > 0 {
		at := s.free[n-1]
		s.free = s.free[:n-1]
		s.at[at] = x
		return at
	}
	s.at = append(s.at, x)
	return seat(len(s.at) - 1)
}

func (s *seats[T]) give(at seat) {
	s.at[at] = nil
	s.free = append(s.free, at)
}
