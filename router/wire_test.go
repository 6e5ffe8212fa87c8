package router

import (
	"fmt"
	"strconv"
	"strings"

	"gearbolt/protocol"
)

// The tests write packets as people would: the name, and behind it the body
// with each NUL as a bar. Text lines are Go strings in quotes. The spelling is
// unambiguous, so that equal words mean equal bytes.

// packet spells a packet that a server sends.
func packet(t protocol.Type, args ...string) string {
	if len(args) == 0 {
		return t.String()
	}
	return strings.TrimSuffix(t.String()+" "+escape(strings.Join(args, "\x00")), " ")
}

// errorPacket spells an ERROR.
func errorPacket(code protocol.ErrorCode, text string) string {
	return packet(protocol.Error, string(code), text)
}

// spell spells everything that a server has sent.
func spell(b []byte) []string {
	var words []string
	for len(b) > 0 {
		m, n, err := protocol.Limits{Packet: 1 << 30}.Next(b)
		if err != nil {
			return append(words, fmt.Sprintf("broken %q: %v", b, err))
		}
		switch {
		case m.Magic == protocol.Text:
			words = append(words, strconv.Quote(string(b[:n])))
		case m.Magic == protocol.Res:
			words = append(words, packet(m.Type, string(m.Body)))
		default:
			words = append(words, "REQUEST "+packet(m.Type, string(m.Body)))
		}
		b = b[n:]
	}
	return words
}

// escape spells the body of a packet.
func escape(body string) string {
	var s strings.Builder
	for _, c := range []byte(body) {
		switch {
		case c == 0:
			s.WriteByte('|')
		case c == '|' || c == '\\':
			s.WriteByte('\\')
			s.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&s, "\\x%02x", c)
		default:
			s.WriteByte(c)
		}
	}
	return s.String()
}

// unescape is the inverse of escape.
func unescape(s string) ([]byte, error) {
	var body []byte
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '|':
			body = append(body, 0)
		case s[i] != '\\':
			body = append(body, s[i])
		case strings.HasPrefix(s[i:], `\x`) && len(s) >= i+4:
			n, err := strconv.ParseUint(s[i+2:i+4], 16, 8)
			if err != nil {
				return nil, err
			}
			body, i = append(body, byte(n)), i+3
		case i+1 < len(s):
			i++
			body = append(body, s[i])
		default:
			return nil, fmt.Errorf("a backslash at the end of %q", s)
		}
	}
	return body, nil
}

// request is a packet to the machine.
func request(t protocol.Type, args ...string) protocol.Message {
	return protocol.Message{Magic: protocol.Req, Type: t, Body: []byte(strings.Join(args, "\x00"))}
}

// line is an admin line to the machine.
func line(s string) protocol.Message {
	return protocol.Message{Magic: protocol.Text, Body: []byte(s)}
}
