package protocol

import "bytes"

// Words are the words of an admin line. They lie in the line.
type Words struct {
	N    int
	Word [MaxWords][]byte
}

// SplitWords takes an admin line apart at runs of spaces; a tab is not a
// space. A leading space makes an empty first word and a trailing one an empty
// last word, as in gearmand. It reports false where there are more than
// [MaxWords].
func SplitWords(line []byte, w *Words) bool {
	for w.N = 0; ; {
		if w.N == MaxWords {
			return false
		}
		end := bytes.IndexByte(line, ' ')
		if end < 0 {
			w.Word[w.N] = line
			w.N++
			return true
		}
		w.Word[w.N] = line[:end]
		w.N++
		line = bytes.TrimLeft(line[end:], " ")
	}
}

// Is reports whether word i is there and is the given lower-case keyword;
// keywords are written in any case.
func (w *Words) Is(i int, keyword string) bool {
	return i < w.N && EqualFold(w.Word[i], keyword)
}

// EqualFold reports whether b is the lower-case keyword, its ASCII letters in
// any case.
func EqualFold(b []byte, keyword string) bool {
	if len(b) != len(keyword) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != keyword[i] {
			return false
		}
	}
	return true
}
