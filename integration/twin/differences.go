package twin

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// A difference is what gearmand and Gearbolt say apart at one step.
type difference struct {
	step               string
	gearmand, gearbolt []string
}

// compare returns the steps that were answered differently.
func compare(s *script, gearmand, gearbolt [][]string) []difference {
	var found []difference
	for i, l := range s.steps() {
		a, b := trimCommon(at(gearmand, i), at(gearbolt, i))
		if len(a)+len(b) > 0 {
			found = append(found, difference{l.text, a, b})
		}
	}
	return found
}

// at returns the answers to step i: none if the player did not get so far.
func at(answers [][]string, i int) []string {
	if i < len(answers) {
		return answers[i]
	}
	return nil
}

// trimCommon takes off the lines at both ends that are equal.
func trimCommon(a, b []string) ([]string, []string) {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return a, b
}

func render(differences []difference) string {
	var b strings.Builder
	for _, d := range differences {
		fmt.Fprintln(&b, d.step)
		for _, l := range d.gearmand {
			fmt.Fprintln(&b, "- "+l)
		}
		for _, l := range d.gearbolt {
			fmt.Fprintln(&b, "+ "+l)
		}
	}
	return b.String()
}

// readDifferences reads the declared differences, by script, in the form that
// render gives them.
func readDifferences(file string) (map[string]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	declared := map[string]string{}
	for _, s := range splitSections(string(text)) {
		if _, twice := declared[s.name]; twice {
			return nil, fmt.Errorf("%s is declared twice", s.name)
		}
		if len(s.lines) == 0 || !strings.HasPrefix(s.lines[0], "# ") {
			return nil, fmt.Errorf("%s is declared without a reason", s.name)
		}
		lines := slices.DeleteFunc(s.lines, func(l string) bool { return l == "" || l[0] == '#' })
		declared[s.name] = strings.Join(lines, "\n") + "\n"
	}
	return declared, nil
}
