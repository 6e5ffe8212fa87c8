package router

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"gearbolt/protocol"
)

// A schedule is SUBMIT_JOB_SCHED's five fields as sets of bits: minute, hour,
// day of the month, month, day of the week from Monday (PROTOCOL). A time
// matches when it matches all five.
type schedule [5]uint64

// fields are SUBMIT_JOB_SCHED's arguments, in order.
var fields = [5]struct {
	name        string
	first, last int64
}{
	{"minute", 0, 59},
	{"hour", 0, 23},
	{"day of month", 1, 31},
	{"month", 1, 12},
	{"day of week", 0, 6},
}

// matchYears is how far ahead a match is looked for. Every date comes on every
// day of the week within 40 years.
const matchYears = 41

var errNever = errors.New("the schedule never matches any date")

// nextMatch is the first full minute (UTC) after now that all five fields
// match. An empty field and "*" match everything.
func nextMatch(now time.Time, args [][]byte) (time.Time, error) {
	var s schedule
	for i, arg := range args {
		bits, err := field(i, arg)
		if err != nil {
			return time.Time{}, err
		}
		s[i] = bits
	}
	t := now.UTC().Truncate(time.Minute).Add(time.Minute)
	for end := t.AddDate(matchYears, 0, 0); t.Before(end); {
		if next := s.skip(t); !next.Equal(t) {
			t = next
			continue
		}
		return t, nil
	}
	return time.Time{}, errNever
}

// field reads one argument as the set of values that match.
func field(i int, arg []byte) (uint64, error) {
	f := fields[i]
	if len(arg) == 0 || string(arg) == "*" {
		return ^uint64(0), nil
	}
	n, ok := protocol.Int(arg)
	if !ok || n < f.first || n > f.last || !digits(arg) {
		return 0, fmt.Errorf("the %s must be %d to %d, or * for any", f.name, f.first, f.last)
	}
	return 1 << n, nil
}

// digits reports whether b is digits throughout: a list or a range, which cron
// has and SUBMIT_JOB_SCHED has not, must not pass for its first number.
func digits(b []byte) bool {
	return !bytes.ContainsFunc(b, func(r rune) bool { return r < '0' || r > '9' })
}

// skip returns t if it matches, and else the next minute, hour, day or month at
// which the field that does not match has another value.
func (s *schedule) skip(t time.Time) time.Time {
	weekday := (int(t.Weekday()) + 6) % 7 // Monday is 0
	switch {
	case s[3]&(1<<int(t.Month())) == 0:
		return time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	case s[2]&(1<<t.Day()) == 0 || s[4]&(1<<weekday) == 0:
		return time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, time.UTC)
	case s[1]&(1<<t.Hour()) == 0:
		return t.Truncate(time.Hour).Add(time.Hour)
	case s[0]&(1<<t.Minute()) == 0:
		return t.Add(time.Minute)
	}
	return t
}
