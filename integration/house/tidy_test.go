package house

import (
	"bytes"
	"go/ast"
	"go/format"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A file is a concept and fits in a head, and so does a function. gofmt is
// checked here too, since that costs nothing; go vet and staticcheck are not:
// they type-check the whole module once more, and are one line each in
// integration/test.sh, which CI runs.
const (
	maxFileLines     = 400
	maxFunctionLines = 70
	medianFunction   = 10 // lines, over all functions
	ninetiethPercent = 40
)

// markers are what unfinished work is marked with. They are put together here
// so that this file has none.
var markers = []string{"TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK", "not " + "implemented", "un" + "implemented"}

func TestTidy(t *testing.T) {
	var lengths []int
	for _, p := range list(t) {
		if !p.ours() {
			continue
		}
		for _, s := range sources(t, p) {
			if n := s.line(s.file.FileEnd - 1); n > maxFileLines {
				t.Errorf("%s has %d lines: a file ends at %d", s.name, n, maxFileLines)
			}
			lengths = append(lengths, checkFunctions(t, s)...)
			checkMarkers(t, s)
			checkFormat(t, s, filepath.Join(p.Dir, filepath.Base(s.name)))
		}
	}
	slices.Sort(lengths)
	if n := lengths[len(lengths)/2]; n > medianFunction {
		t.Errorf("the median function has %d lines, more than %d", n, medianFunction)
	}
	if n := lengths[len(lengths)*9/10]; n > ninetiethPercent {
		t.Errorf("one function in ten has %d lines or more, and %d were enough", n, ninetiethPercent)
	}
}

// checkFunctions returns the lengths of s's functions in lines.
func checkFunctions(t *testing.T, s source) (lengths []int) {
	t.Helper()
	for _, d := range s.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		n := s.line(f.End()) - s.line(f.Pos()) + 1
		if n > maxFunctionLines {
			t.Errorf("%s:%d: %s has %d lines: a function ends at %d", s.name, s.line(f.Pos()), f.Name.Name, n, maxFunctionLines)
		}
		lengths = append(lengths, n)
	}
	return lengths
}

// checkMarkers looks for marks of unfinished work in comments and texts.
func checkMarkers(t *testing.T, s source) {
	t.Helper()
	look := func(n ast.Node, text string) {
		for _, m := range markers {
			if strings.Contains(text, m) {
				t.Errorf("%s:%d: unfinished: %q", s.name, s.line(n.Pos()), m)
			}
		}
	}
	for _, group := range s.file.Comments {
		look(group, group.Text())
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok {
			look(lit, lit.Value)
		}
		return true
	})
}

func checkFormat(t *testing.T, s source, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if formatted, err := format.Source(b); err != nil || !bytes.Equal(b, formatted) {
		t.Errorf("%s is not as gofmt writes it", s.name)
	}
}
