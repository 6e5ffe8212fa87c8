package conf

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/viper"
)

// Output is a form of the effective settings: "yaml" and "toml" are
// configuration files that set just these; "table", the zero value, also says
// where each comes from.
type Output string

var outputs = []string{"table", "yaml", "toml"}

// Set makes Output a flag.
func (o *Output) Set(s string) error {
	if !slices.Contains(outputs, s) {
		return errors.New("is unknown; give one of " + strings.Join(outputs, ", "))
	}
	*o = Output(s)
	return nil
}

// String returns the name of the form.
func (o *Output) String() string { return string(*o) }

// Type is what a flag's help shows.
func (o *Output) Type() string { return "form" }

// Print writes the effective settings to w as inv.Output says.
func (inv *Invocation) Print(w io.Writer) error {
	if inv.Output == "yaml" || inv.Output == "toml" {
		return inv.printFile(w)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SETTING\tVALUE\tORIGIN")
	for i := range table {
		s := &table[i]
		text := s.value(&inv.Settings).String()
		if text == "" {
			text = "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", s.name, text, inv.Origins[s.name])
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, note := range inv.Notes {
		if _, err := fmt.Fprintln(w, "note:", note); err != nil {
			return err
		}
	}
	return nil
}

func (inv *Invocation) printFile(w io.Writer) error {
	v := viper.New()
	v.SetConfigType(string(inv.Output))
	for i := range table {
		if s := &table[i]; s.name != "config-file" {
			v.Set(s.name, s.value(&inv.Settings).plain())
		}
	}
	return v.WriteConfigTo(w)
}
