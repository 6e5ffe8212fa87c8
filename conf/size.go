package conf

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// size is a number of bytes, at least least, written with or without a unit.
type size struct {
	p     *int64
	least int64
}

func (v *size) Set(s string) error {
	n, err := ParseSize(s)
	if err != nil {
		return err
	}
	if n < v.least {
		return errors.New("is too small; give at least " + formatSize(v.least))
	}
	*v.p = n
	return nil
}

func (v *size) String() string { return formatSize(*v.p) }
func (v *size) kind() string   { return "size" }

func (v *size) plain() any {
	if text := formatSize(*v.p); !isDigits(text) {
		return text
	}
	return int(*v.p)
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// The binary units; a single letter means the same, as in most servers. Units
// of a thousand (kB, MB, …) are understood, too.
var units = []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}

// ParseSize reads a number of bytes, with or without a unit, as the settings
// have it: 512, 64MiB, 1g.
func ParseSize(s string) (int64, error) {
	digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
	unit, ok := unitSize(strings.TrimSpace(s[digits:]))
	n, err := strconv.ParseUint(s[:digits], 10, 63)
	if !ok || err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, errors.New("is no size; give a number of bytes, or one with a unit, such as 64MiB")
	}
	high, low := bits.Mul64(n, unit)
	if err != nil || high != 0 || low > math.MaxInt64 {
		return 0, errors.New("is too large; give less than 8192PiB")
	}
	return int64(low), nil
}

func unitSize(name string) (bytes uint64, ok bool) {
	name = strings.ToLower(name)
	if name == "" || name == "b" {
		return 1, true
	}
	binary, thousand := uint64(1), uint64(1)
	for _, u := range units[1:] {
		binary, thousand = binary*1024, thousand*1000
		switch name {
		case strings.ToLower(u), strings.ToLower(u[:1]):
			return binary, true
		case strings.ToLower(u[:1]) + "b":
			return thousand, true
		}
	}
	return 0, false
}

// formatSize writes n with the largest unit that leaves no rest.
func formatSize(n int64) string {
	u := 0
	for n != 0 && n%1024 == 0 && u < len(units)-1 {
		n, u = n/1024, u+1
	}
	if u == 0 {
		return strconv.FormatInt(n, 10)
	}
	return fmt.Sprintf("%d%s", n, units[u])
}
