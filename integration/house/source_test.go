package house

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// module is the path of what is ours.
const module = "gearbolt"

// A pkg is what "go list" tells of a package.
type pkg struct {
	ImportPath, Dir string
	Standard        bool
	GoFiles         []string
	TestGoFiles     []string
	XTestGoFiles    []string
	Imports         []string // of GoFiles
}

func (p pkg) ours() bool {
	return p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/")
}

// short is the path as people say it.
func short(path string) string { return strings.TrimPrefix(path, module+"/") }

// list returns our packages and all that they depend on.
func list(t *testing.T) map[string]pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,Standard,GoFiles,TestGoFiles,XTestGoFiles,Imports", module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := make(map[string]pkg)
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
}

// A source is one Go file of ours.
type source struct {
	name string // from the top of the repository
	fset *token.FileSet
	file *ast.File
	test bool
}

// sources parses the Go files of p, its tests included.
func sources(t *testing.T, p pkg) (all []source) {
	t.Helper()
	for i, names := range [][]string{p.GoFiles, p.TestGoFiles, p.XTestGoFiles} {
		for _, name := range names {
			s := source{name: filepath.Join(short(p.ImportPath), name), fset: token.NewFileSet(), test: i > 0}
			var err error
			if s.file, err = parser.ParseFile(s.fset, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution); err != nil {
				t.Fatal(err)
			}
			all = append(all, s)
		}
	}
	return all
}

// line is where pos is.
func (s source) line(pos token.Pos) int { return s.fset.Position(pos).Line }
