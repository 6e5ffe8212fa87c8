package cli

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A bar shows progress in the last line of a terminal. A nil bar, which is
// what others than terminals get, shows nothing.
type bar struct {
	w     io.Writer
	drawn bool
	last  time.Time
}

// redraw is how often the eye wants to see something new.
const redraw = 50 * time.Millisecond

func newBar(w io.Writer, wanted bool) *bar {
	if !wanted || !isTerminal(w) {
		return nil
	}
	return &bar{w: w}
}

func (b *bar) show(done, of uint64) {
	if b == nil || b.drawn && done < of && time.Since(b.last) < redraw {
		return
	}
	b.drawn, b.last = true, time.Now()
	fmt.Fprint(b.w, "\r\x1b[K"+barText(done, of, width(b.w)))
}

// clear makes the line free for something else.
func (b *bar) clear() {
	if b != nil && b.drawn {
		b.drawn = false
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}

// barText draws the bar in so many columns.
func barText(done, of uint64, columns int) string {
	if of == 0 {
		return fmt.Sprintf("%d done", done)
	}
	share := min(float64(done)/float64(of), 1)
	text := fmt.Sprintf(" %3.0f%% %d/%d", 100*share, done, of)
	room := min(columns-len(text)-3, 40)
	if room < 4 {
		return text[1:]
	}
	full := int(share * float64(room))
	return "[" + strings.Repeat("#", full) + strings.Repeat(" ", room-full) + "]" + text
}

// say shows a line that the next one replaces.
func (b *bar) say(text string) {
	if b != nil {
		b.drawn = true
		fmt.Fprint(b.w, "\r\x1b[K"+text)
	}
}
