package protocol

// Int reads a decimal number as C's strtoll does: leading white space, a sign,
// digits up to the first other byte; no digits are 0. It reports false where
// the number does not fit 64 bits.
func Int(b []byte) (n int64, ok bool) {
	b, negative := number(b)
	for _, c := range b {
		if c < '0' || c > '9' {
			break
		}
		d := int64(c - '0')
		if n < (minInt64+d)/10 { // counts downwards: the negative numbers reach one further
			return 0, false
		}
		n = n*10 - d
	}
	if negative {
		return n, true
	}
	return -n, n != minInt64
}

const minInt64 = -1 << 63

// Count reads a WORK_STATUS number as gearmand does: C's atoi into 32 bits
// without a sign, so that -5 is 4294967291 and garbage is 0.
func Count(b []byte) uint32 {
	n, ok := Int(b)
	if !ok {
		return ^uint32(0)
	}
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
