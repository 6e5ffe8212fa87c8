package protocol

import (
	"bytes"
	"errors"
	"testing"
)

// Seeds beside those in testdata/fuzz are the packets of the table of rules.
func addPackets(f *testing.F, magic Magic, sent func(Type) bool) {
	for i, r := range rules[1:] {
		if number := Type(i + 1); sent(number) {
			f.Add(Append(nil, magic, number, toBytes(r.args)...))
		}
	}
}

// FuzzRequests reads what a server may be sent.
func FuzzRequests(f *testing.F) {
	addPackets(f, Req, Type.Expected)
	f.Fuzz(checkStream)
}

// FuzzResponses reads what a client or a worker may be sent.
func FuzzResponses(f *testing.F) {
	addPackets(f, Res, func(number Type) bool {
		from := shapes[number].from
		return from == server || from == both
	})
	f.Fuzz(checkStream)
}

// checkStream reads a stream: at once and byte by byte the same messages come
// out, and written again they are the bytes that they were read from.
func checkStream(t *testing.T, stream []byte) {
	whole, end := readWhole(t, stream)
	slow, slowEnd := readByteByByte(t, stream)
	if len(whole) != len(slow) || !sameEnd(end, slowEnd) {
		t.Fatalf("at once %d messages and %v, byte by byte %d and %v", len(whole), end, len(slow), slowEnd)
	}
	for i, m := range whole {
		if m.Magic != slow[i].Magic || m.Type != slow[i].Type || !bytes.Equal(m.Body, slow[i].Body) {
			t.Fatalf("message %d: at once %v, byte by byte %v", i, m, slow[i])
		}
	}
}

func sameEnd(a, b error) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Error() == b.Error()
}

var fuzzLimits = Limits{Packet: 1 << 10}

// readWhole reads messages until an error, which is nil at the end of the
// stream.
func readWhole(t *testing.T, stream []byte) (all []Message, err error) {
	for len(stream) > 0 {
		m, n, err := fuzzLimits.Next(stream)
		if err != nil {
			return all, err
		}
		if n <= 0 || n > len(stream) {
			t.Fatalf("a message of %d bytes in %d", n, len(stream))
		}
		checkMessage(t, m, stream[:n])
		all, stream = append(all, m), stream[n:]
	}
	return all, nil
}

// readByteByByte reads messages as they arrive from the slowest of peers.
func readByteByByte(t *testing.T, stream []byte) (all []Message, err error) {
	start := 0
	for end := 1; end <= len(stream); end++ {
		m, n, err := fuzzLimits.Next(stream[start:end:end])
		switch {
		case err == nil && n == end-start:
			all, start = append(all, m), end
		case err == nil:
			t.Fatalf("a message of %d bytes, when all but the last byte of %d made none", n, end-start)
		case !errors.Is(err, ErrIncomplete):
			return all, err
		case n <= end-start:
			t.Fatalf("%d bytes are incomplete, but no more than %d are asked for", end-start, n)
		}
	}
	if start < len(stream) {
		return all, ErrIncomplete
	}
	return all, nil
}

// checkMessage takes a message apart and writes it again.
func checkMessage(t *testing.T, m Message, raw []byte) {
	if m.Magic == Text {
		checkLine(t, m.Body, raw)
		return
	}
	if again := Append(nil, m.Magic, m.Type, m.Body); !bytes.Equal(again, raw) {
		t.Fatalf("read %q, wrote %q", raw, again)
	}
	var a Args
	if Split(m.Type, m.Body, &a) != nil || a.N == 0 && a.Data == nil {
		return // no arguments, or none that are any good
	}
	split := a.Arg[:a.N]
	if a.Data != nil {
		split = append(split[:a.N:a.N], a.Data)
	}
	if again := Append(nil, m.Magic, m.Type, split...); !bytes.Equal(again, raw) {
		t.Fatalf("split %q into %q", raw, split)
	}
}

func checkLine(t *testing.T, line, raw []byte) {
	end := raw[len(line):]
	if !bytes.HasPrefix(raw, line) || string(end) != "\n" && string(end) != "\r\n" {
		t.Fatalf("the line of %q is %q", raw, line)
	}
	var w Words
	if SplitWords(line, &w) {
		joined := bytes.Join(w.Word[:w.N], []byte(" "))
		if spaces := []byte(" "); !bytes.Equal(bytes.ReplaceAll(joined, spaces, nil), bytes.ReplaceAll(line, spaces, nil)) {
			t.Fatalf("%q has words %q", line, w.Word[:w.N])
		}
	}
	Foreign(line)
	Int(line)
}

// FuzzAppend is the other direction: what is written is what is read.
func FuzzAppend(f *testing.F) {
	f.Add(byte(SubmitJobBG), []byte("function"), []byte("unique"), []byte("data\x00data"))
	f.Add(byte(WorkComplete), []byte("H:h:1-1"), []byte(""), []byte(""))
	f.Add(byte(SubmitReduceJob), []byte("f"), []byte("-"), []byte("\x00\x00"))
	f.Fuzz(func(t *testing.T, number byte, first, second, rest []byte) {
		kind := Type(number)
		if kind == 0 || kind > lastType {
			return
		}
		packet := Append(nil, Res, kind, first, second, rest)
		m, n, err := Limits{Packet: len(packet)}.Next(packet)
		if err != nil || n != len(packet) || m.Type != kind {
			t.Fatalf("%s: %d of %d bytes, %v", m.Type, n, len(packet), err)
		}
		checkMessage(t, m, packet)
		var a Args
		if shapes[kind].args != 2 || !shapes[kind].data || Split(kind, m.Body, &a) != nil {
			return
		}
		if bytes.IndexByte(first, 0) < 0 && bytes.IndexByte(second, 0) < 0 {
			if !bytes.Equal(a.Arg[0], first) || !bytes.Equal(a.Arg[1], second) || !bytes.Equal(a.Data, rest) {
				t.Fatalf("wrote %q %q %q, read %q %q", first, second, rest, a.Arg[:a.N], a.Data)
			}
		}
	})
}
