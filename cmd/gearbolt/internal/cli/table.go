package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// A table is what a list command shows.
type table struct {
	columns []string // a leading ">" aligns to the right
	rows    [][]string
	data    any // the same for programs: a slice
}

// write writes the table with its columns aligned. Nothing is behind the last
// column, so that no line ends in blanks.
func (t *table) write(w io.Writer) error {
	right := make([]bool, len(t.columns))
	head := make([]string, len(t.columns))
	for i, c := range t.columns {
		head[i], right[i] = strings.CutPrefix(c, ">")
	}
	all := slices.Concat([][]string{head}, t.rows)
	widths := make([]int, len(head))
	for _, row := range all {
		for i, cell := range row {
			row[i] = printable(cell)
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	var b strings.Builder
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if right[i] {
				cell, pad = pad+cell, ""
			}
			line.WriteString(cell + pad + "  ")
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printable shows what a terminal would obey or not show: names and ids are
// their senders' choice.
func printable(cell string) string {
	if !strings.ContainsFunc(cell, func(r rune) bool { return r < ' ' || r == 0x7f || r == utf8.RuneError }) {
		return cell
	}
	quoted := fmt.Sprintf("%q", cell)
	return quoted[1 : len(quoted)-1]
}

// writeJSON writes a value and a line end.
func writeJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(value)
}

// orDash shows that there is nothing.
func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// An output is the value of --output.
type output string

const (
	outputTable output = "table"
	outputText  output = "text"
	outputJSON  output = "json"
)

// An outputFlag is a pflag.Value of which only json and the default are taken.
type outputFlag struct {
	value    output
	standard output
}

func newOutput(standard output) outputFlag { return outputFlag{standard, standard} }

func (o *outputFlag) String() string { return string(o.value) }
func (o *outputFlag) Type() string   { return "format" }
func (o *outputFlag) json() bool     { return o.value == outputJSON }

func (o *outputFlag) Set(text string) error {
	if o.value = output(text); o.value != outputJSON && o.value != o.standard {
		return fmt.Errorf("give %s or json", o.standard)
	}
	return nil
}
