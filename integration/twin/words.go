package twin

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// splitWords takes a line apart at spaces; a quoted word is unquoted.
func splitWords(line string) ([]string, error) {
	words := []string{}
	for line = strings.TrimLeft(line, " "); line != ""; line = strings.TrimLeft(line, " ") {
		if line[0] != '"' {
			word, rest, _ := strings.Cut(line, " ")
			words, line = append(words, word), rest
			continue
		}
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			return nil, fmt.Errorf("bad quotes in %s", line)
		}
		word, _ := strconv.Unquote(quoted)
		words, line = append(words, word), line[len(quoted):]
	}
	return words, nil
}

var placeholder = regexp.MustCompile(`\{(H\d+|now([+-]\d+)?|.\*\d+)\}`)

// expand fills in the placeholders of a word. handle maps H1 to what the
// server called that job.
func expand(word string, handle func(string) string) string {
	return placeholder.ReplaceAllStringFunc(word, func(found string) string {
		inner := found[1 : len(found)-1]
		if text, n, ok := strings.Cut(inner, "*"); ok {
			count, _ := strconv.Atoi(n)
			return strings.Repeat(text, count)
		}
		if offset, ok := strings.CutPrefix(inner, "now"); ok {
			seconds, _ := strconv.ParseInt(offset, 10, 64) // no offset is none
			return strconv.FormatInt(time.Now().Unix()+seconds, 10)
		}
		return handle(inner)
	})
}

// longRun is how often a byte must repeat for its run to be written short.
const longRun = 32

var bareWord = regexp.MustCompile(`^[A-Za-z0-9_.:{}*+/=,@-]+$`)

// format writes a word as a script would: what splitWords and expand undo.
func format(word string) string {
	word = shorten(word)
	if bareWord.MatchString(word) {
		return word
	}
	return strconv.Quote(word)
}

// shorten writes long runs of a letter or digit as {x*64}.
func shorten(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		end := i + 1
		for end < len(s) && s[end] == s[i] {
			end++
		}
		if end-i >= longRun && bareWord.MatchString(s[i:i+1]) {
			fmt.Fprintf(&b, "{%c*%d}", s[i], end-i)
		} else {
			b.WriteString(s[i:end])
		}
		i = end
	}
	return b.String()
}
