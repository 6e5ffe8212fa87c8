package twin

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A script is a conversation with a fresh server.
type script struct {
	name  string   // "file/name"
	args  []string // command line words for both servers
	lines []line
}

// A line of a script, with what gearmand has answered to it.
type line struct {
	text    string
	step    *step // nil for comments, args and empty lines
	answers []string
}

// A step is a line that does something.
type step struct {
	conn string
	verb string
	rest string // what the verb acts on, as it stands in the script
}

// readScripts reads every script of a folder, by file.
func readScripts(dir string) (map[string][]*script, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	all := map[string][]*script{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		group := strings.TrimSuffix(filepath.Base(file), ".txt")
		if all[file], err = parseScripts(group, string(text)); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return all, nil
}

func parseScripts(group, text string) ([]*script, error) {
	var scripts []*script
	for _, section := range splitSections(text) {
		s := &script{name: group + "/" + section.name}
		for _, text := range section.lines {
			if err := s.add(text); err != nil {
				return nil, fmt.Errorf("%s: %q: %w", section.name, text, err)
			}
		}
		scripts = append(scripts, s)
	}
	return scripts, nil
}

// add takes in the next line of the script.
func (s *script) add(text string) error {
	if text == "" || text[0] == '#' {
		s.lines = append(s.lines, line{text: text})
		return nil
	}
	conn, rest, _ := strings.Cut(text, " ")
	verb, rest, _ := strings.Cut(rest, " ")
	switch {
	case conn == "args":
		s.args = strings.Fields(text)[1:]
		s.lines = append(s.lines, line{text: text})
	case verb != "<":
		s.lines = append(s.lines, line{text: text, step: &step{conn, verb, rest}})
	case len(s.lines) == 0:
		return fmt.Errorf("an answer to nothing")
	default:
		last := &s.lines[len(s.lines)-1]
		last.answers = append(last.answers, text)
	}
	return nil
}

// steps returns the lines that do something.
func (s *script) steps() []*line {
	var steps []*line
	for i := range s.lines {
		if s.lines[i].step != nil {
			steps = append(steps, &s.lines[i])
		}
	}
	return steps
}

// writeScripts writes a file of scripts with the answers that they hold now.
func writeScripts(file string, scripts []*script) error {
	var b strings.Builder
	for _, s := range scripts {
		_, name, _ := strings.Cut(s.name, "/")
		fmt.Fprintf(&b, "-- %s --\n", name)
		for _, l := range s.lines {
			fmt.Fprintln(&b, l.text)
			for _, answer := range l.answers {
				fmt.Fprintln(&b, answer)
			}
		}
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

// A section is what stands under a line "-- name --".
type section struct {
	name  string
	lines []string
}

func splitSections(text string) []section {
	var sections []section
	for _, l := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		name, opens := strings.CutPrefix(l, "-- ")
		name, closes := strings.CutSuffix(name, " --")
		switch {
		case opens && closes:
			sections = append(sections, section{name: name})
		case len(sections) > 0:
			last := &sections[len(sections)-1]
			last.lines = append(last.lines, l)
		}
	}
	return sections
}

// recorded returns the answers of gearmand that the script holds.
func (s *script) recorded() [][]string {
	var all [][]string
	for _, l := range s.steps() {
		all = append(all, l.answers)
	}
	return all
}

// take replaces them.
func (s *script) take(answers [][]string) {
	for i, l := range s.steps() {
		l.answers = at(answers, i)
	}
}
