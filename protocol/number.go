package protocol

// Int reads a decimal number as C's strtoll does: leading white space, a sign,
// digits up to the first other byte; no digits are 0. Where the number does not
// fit 64 bits it returns the nearest that does, and false.
func Int(b []byte) (n int64, ok bool) {
	b, negative := number(b)
	for _, c := range b {
		if c < '0' || c > '9' {
			break
		}
		d := int64(c - '0')
		if n < (minInt64+d)/10 { // counts downwards: the negative numbers reach one further
			return limit(negative), false
		}
		n = n*10 - d
	}
	switch {
	case negative:
		return n, true
	case n == minInt64:
		return maxInt64, false
	}
	return -n, true
}

const (
	minInt64 = -1 << 63
	maxInt64 = 1<<63 - 1
)

func limit(negative bool) int64 {
	if negative {
		return minInt64
	}
	return maxInt64
}

// Count reads a WORK_STATUS number as gearmand does: C's atoi into 32 bits
// without a sign, so that -5 is 4294967291 and garbage is 0. C leaves open what
// atoi makes of a number that is too large; glibc takes the low half of what
// strtol returns.
func Count(b []byte) uint32 {
	n, _ := Int(b)
	return uint32(n)
}

// number skips white space and a sign.
func number(b []byte) (digits []byte, negative bool) {
	for len(b) > 0 && (b[0] == ' ' || '\t' <= b[0] && b[0] <= '\r') {
		b = b[1:]
	}
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		return b[1:], b[0] == '-'
	}
	return b, false
}
