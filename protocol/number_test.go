package protocol

import (
	"math"
	"testing"
)

// The numbers are what strtoll(s, 0, 10) and atoi(s) of glibc return on a
// 64-bit machine; Int is false where strtoll sets ERANGE, Count is atoi's
// int taken for a uint32_t.
var cNumbers = []struct {
	in    string
	n     int64
	ok    bool
	count uint32
}{
	{"", 0, true, 0},
	{"0", 0, true, 0},
	{"42", 42, true, 42},
	{"+7", 7, true, 7},
	{"-5", -5, true, 4294967291},
	{" \t\n\v\f\r12", 12, true, 12},
	{"12 3", 12, true, 12},
	{"12x", 12, true, 12},
	{"x", 0, true, 0},
	{"\x00" + "5", 0, true, 0},
	{"- 5", 0, true, 0},
	{"+-5", 0, true, 0},
	{"0x10", 0, true, 0},
	{"007", 7, true, 7},
	{"2147483648", 1 << 31, true, 1 << 31},
	{"4294967295", math.MaxUint32, true, math.MaxUint32},
	{"4294967296", 1 << 32, true, 0},
	{"-4294967296", -1 << 32, true, 0},
	{"9999999999", 9999999999, true, 1410065407},
	{"9223372036854775807", math.MaxInt64, true, math.MaxUint32},
	{"9223372036854775808", math.MaxInt64, false, math.MaxUint32},
	{"-9223372036854775808", math.MinInt64, true, 0},
	{"-9223372036854775809", math.MinInt64, false, 0},
	{"99999999999999999999999", math.MaxInt64, false, math.MaxUint32},
	{"-99999999999999999999999", math.MinInt64, false, 0},
}

func TestIntIsStrtoll(t *testing.T) {
	for _, c := range cNumbers {
		if n, ok := Int([]byte(c.in)); ok != c.ok || n != c.n {
			t.Errorf("Int(%q) = %d, %v; C has %d, %v", c.in, n, ok, c.n, c.ok)
		}
	}
}

func TestCountIsAtoi(t *testing.T) {
	for _, c := range cNumbers {
		if got := Count([]byte(c.in)); got != c.count {
			t.Errorf("Count(%q) = %d; C has %d", c.in, got, c.count)
		}
	}
}
