package router

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// TestNextMatchAgainstEveryMinute compares the search, which skips hours, days
// and months, with a look at one minute after the other.
func TestNextMatchAgainstEveryMinute(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	for range 100 {
		now := time.Date(2023+rng.IntN(3), time.Month(1+rng.IntN(12)), 1+rng.IntN(31), rng.IntN(24), rng.IntN(60), rng.IntN(60), 0, time.UTC)
		args := make([][]byte, 5)
		for i, f := range fields {
			if rng.IntN(3) == 0 {
				args[i] = strconv.AppendInt(nil, f.first+rng.Int64N(f.last-f.first+1), 10)
			}
		}
		want := slowMatch(now, args)
		got, err := nextMatch(now, args)
		if want.IsZero() {
			continue // not within the year that slowMatch looks at
		}
		if err != nil || !got.Equal(want) {
			t.Errorf("after %v, %q comes at %v (%v), not at %v", now, args, got, err, want)
		}
	}
}

func slowMatch(now time.Time, args [][]byte) time.Time {
	is := func(i, n int) bool { return len(args[i]) == 0 || string(args[i]) == strconv.Itoa(n) }
	for t := now.Truncate(time.Minute).Add(time.Minute); t.Before(now.AddDate(1, 0, 0)); t = t.Add(time.Minute) {
		if is(0, t.Minute()) && is(1, t.Hour()) && is(2, t.Day()) && is(3, int(t.Month())) && is(4, (int(t.Weekday())+6)%7) {
			return t
		}
	}
	return time.Time{}
}

func TestNextMatchAcrossCenturies(t *testing.T) {
	for _, c := range []struct{ now, minute, hour, day, month, weekday, want string }{
		{"2024-12-31T23:59:59Z", "*", "*", "*", "*", "*", "2025-01-01T00:00:00Z"},
		{"2025-01-31T12:00:00Z", "30", "6", "31", "*", "*", "2025-03-31T06:30:00Z"},
		{"2025-03-01T00:00:00Z", "0", "0", "29", "2", "*", "2028-02-29T00:00:00Z"},
		{"2097-01-01T00:00:00Z", "0", "0", "29", "2", "*", "2104-02-29T00:00:00Z"}, // 2100 is no leap year
		{"2072-03-01T00:00:00Z", "0", "0", "29", "2", "0", "2112-02-29T00:00:00Z"}, // Mondays 40 years apart
		{"2024-06-30T10:00:30Z", "0", "10", "*", "*", "*", "2024-07-01T10:00:00Z"}, // the minute has begun
		{"2024-06-30T09:59:59Z", "0", "10", "*", "*", "*", "2024-06-30T10:00:00Z"},
		{"2024-06-30T23:30:00+05:00", "0", "20", "*", "*", "*", "2024-06-30T20:00:00Z"}, // UTC, wherever we are
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		args := [][]byte{[]byte(c.minute), []byte(c.hour), []byte(c.day), []byte(c.month), []byte(c.weekday)}
		got, err := nextMatch(now, args)
		if err != nil || got.Format(time.RFC3339) != c.want {
			t.Errorf("after %s, %q comes at %v (%v), not at %s", c.now, args, got.Format(time.RFC3339), err, c.want)
		}
	}
}
