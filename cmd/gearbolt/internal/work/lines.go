package work

import (
	"bytes"
	"time"
)

// lines says each line that is written to it. A line that does not end is said
// in pieces.
type lines struct {
	say  func([]byte) error
	rest []byte
	last string // line that was not empty
}

// maxLine is the longest line that is said in one piece.
const maxLine = 16 << 10

// Write is part of io.Writer. What cannot be said is dropped: the job's end
// will tell.
func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok && len(l.rest) < maxLine {
			return len(p), nil
		}
		l.tell(line)
		l.rest = append(l.rest[:0], rest...)
	}
}

// flush says what no line end followed.
func (l *lines) flush() {
	l.tell(l.rest)
	l.rest = nil
}

func (l *lines) tell(line []byte) {
	if line = bytes.TrimRight(line, "\r"); len(line) > 0 {
		l.last = string(line)
		l.say(append(line[:len(line):len(line)], '\n'))
	}
}

// soon is when reading what a dead process left in a pipe ends.
func soon() time.Time { return time.Now().Add(stragglers) }
