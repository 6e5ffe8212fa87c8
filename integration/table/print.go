package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
)

// A table is all that was measured, and where.
type table struct {
	Date    string   `json:"date"`
	Machine string   `json:"machine"`
	Rounds  int      `json:"rounds"`
	Seconds float64  `json:"seconds"` // of a round
	Scale   float64  `json:"scale"`
	Figures []figure `json:"figures"`
}

var printers = map[string]func(io.Writer, *table) error{"text": text, "markdown": markdown, "json": asJSON}

func asJSON(w io.Writer, t *table) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(t)
}

// head says how the table was measured.
func (t *table) head() string {
	s := fmt.Sprintf("%s, %s; medians of %d rounds of %g s", t.Date, t.Machine, t.Rounds, t.Seconds)
	if t.Scale != 1 {
		s += fmt.Sprintf("; amounts at %g of what the rows name", t.Scale)
	}
	return s
}

func text(w io.Writer, t *table) error {
	fmt.Fprintf(w, "%s\n\n", t.head())
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "ROW\tFIGURE\tOURS\tTHEIRS\tRATIO\tTARGET\t")
	for i := range t.Figures {
		f := &t.Figures[i]
		fmt.Fprintln(tw, strings.Join(append([]string{f.Row}, f.cells()...), "\t"))
	}
	return tw.Flush()
}

func markdown(w io.Writer, t *table) error {
	fmt.Fprintf(w, "%s\n\n| work | figure | Gearbolt | beside it | ratio | target | |\n|---|---|--:|--:|--:|--:|---|\n", t.head())
	what := ""
	for i := range t.Figures {
		f := &t.Figures[i]
		first := f.What
		if first == what {
			first = ""
		}
		what = f.What
		if _, err := fmt.Fprintf(w, "| %s | %s |\n", first, strings.Join(f.cells(), " | ")); err != nil {
			return err
		}
	}
	return nil
}

// cells are the figure as people read it.
func (f *figure) cells() []string {
	verdict := f.Missing
	if f.Reached != nil {
		verdict = map[bool]string{true: "reached", false: "MISSED"}[*f.Reached] + strings.TrimSuffix("; "+f.Missing, "; ")
	}
	ratio := ""
	if f.Ratio > 0 {
		ratio = number(f.Ratio) + "×"
	}
	return []string{f.Figure, number(f.Ours), number(f.Theirs), ratio, f.Target, verdict}
}

// number shows three digits, or all of a whole number; of nothing, nothing.
func number(x float64) string {
	switch {
	case x == 0:
		return ""
	case math.Abs(x) >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(x))))
	return strconv.FormatFloat(x, 'f', min(max(digits, 0), 4), 64)
}

// list says what rows there are.
func list(w io.Writer, rows []row) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		what := r.what
		if r.long {
			what += " (only when it is named)"
		}
		fmt.Fprintf(tw, "%s\t%s\n", r.name, what)
	}
	return tw.Flush()
}

// machine says what is measured on what.
func machine(ctx context.Context, r *rig) string {
	reference, err := exec.CommandContext(ctx, r.gearmand, "--version").Output()
	if err != nil {
		reference = []byte("gearmand of an unknown version")
	}
	version, _, _ := strings.Cut(strings.TrimSpace(string(reference)), " - ") // an address follows
	kernel, _ := exec.CommandContext(ctx, "uname", "-sr").Output()
	return fmt.Sprintf("%d cores%s, %s, beside %s", runtime.NumCPU(), processor(), strings.TrimSpace(string(kernel)), version)
}

// processor is the processor's name as Linux tells it, or nothing.
func processor() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return " of " + strings.TrimSpace(value)
		}
	}
	return ""
}
