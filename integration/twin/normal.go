package twin

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// controlID is the client id of the player's own connection.
const controlID = "twin-control"

// A normalizer takes out of a server's words what is bound to differ.
type normalizer struct {
	handlePattern *regexp.Regexp
	handles       []string // in the order in which they were first seen
	pid           string
	control       string // the address of the player's own connection
}

func newNormalizer(pid int, control string) *normalizer {
	host, _ := os.Hostname()
	return &normalizer{
		handlePattern: regexp.MustCompile(`H:` + regexp.QuoteMeta(host) + `:\d+(-\d+)?`),
		pid:           fmt.Sprint(pid),
		control:       control,
	}
}

// handle returns the handle that stands behind a name such as H1, or the name
// in braces if the server has not given that many.
func (n *normalizer) handle(name string) string {
	for i, h := range n.handles {
		if name == fmt.Sprint("H", i+1) {
			return h
		}
	}
	return "{" + name + "}"
}

func (n *normalizer) nameHandles(text string) string {
	return n.handlePattern.ReplaceAllStringFunc(text, func(h string) string {
		i := slices.Index(n.handles, h)
		if i < 0 {
			i, n.handles = len(n.handles), append(n.handles, h)
		}
		return fmt.Sprintf("{H%d}", i+1)
	})
}

var (
	versionLine = regexp.MustCompile(`^OK \d+\.\d[\w.+~-]*\n$`)
	workersLine = regexp.MustCompile(`^\d+ 127\.0\.0\.1 `)
	peerAddress = regexp.MustCompile(`127\.0\.0\.1:\d+`)
)

// text normalises a text line.
func (n *normalizer) text(s string) string {
	switch {
	case s == "OK "+n.pid+"\n":
		return "OK {pid}\n"
	case versionLine.MatchString(s):
		return "OK {version}\n"
	}
	s = peerAddress.ReplaceAllString(s, "127.0.0.1:{port}")
	return n.nameHandles(workersLine.ReplaceAllString(s, "{fd} 127.0.0.1 "))
}

// answer renders a normalised message as a line of a script.
func (n *normalizer) answer(conn string, m message) string {
	switch {
	case m.closed:
		return conn + " < (closed)"
	case m.kind == "":
		return conn + " < " + format(m.body)
	}
	words := []string{conn, "<", m.kind}
	if m.body != "" {
		for _, arg := range strings.Split(n.nameHandles(m.body), "\x00") {
			words = append(words, format(arg))
		}
	}
	return strings.Join(words, " ")
}

// answers renders what a connection has received.
func (n *normalizer) answers(conn string, got []message) []string {
	got = slices.DeleteFunc(got, func(m message) bool {
		return m.kind == "" && (strings.Contains(m.body, " "+controlID+" :") || m.body == n.control+"\n")
	})
	for i := range got {
		if got[i].kind == "" {
			got[i].body = n.text(got[i].body)
		}
	}
	sortListing(got)
	var lines []string
	for _, m := range got {
		lines = append(lines, n.answer(conn, m))
	}
	return lines
}

// sortListing puts the lines of a listing in order if one is all there is:
// nobody can rely on the order of a hash table. A line that begins with a tab
// belongs to the one above, so that such a listing stays as it is.
func sortListing(got []message) {
	if len(got) == 0 || got[len(got)-1].body != ".\n" {
		return
	}
	lines := got[:len(got)-1]
	for _, m := range lines {
		if m.kind != "" || m.body == ".\n" || m.body[0] == '\t' || strings.HasPrefix(m.body, "OK ") {
			return
		}
	}
	slices.SortStableFunc(lines, func(a, b message) int { return strings.Compare(a.body, b.body) })
}
