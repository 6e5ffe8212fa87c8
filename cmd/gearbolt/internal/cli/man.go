package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The manual is made of what --help says. It is written here, and not by the
// library of the commands: that would bring a reader of Markdown into the
// server's binary.

func (a *app) man(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:     "man DIRECTORY",
		Short:   "Write the manual pages into a directory",
		Long:    "Writes gearbolt.1 and a page for each command, gearbolt-COMMAND.1.",
		Example: "  gearbolt man /usr/local/share/man/man1 && man gearbolt-submit",
		Hidden:  true,
		Args:    arguments(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			return writeManual(root, args[0])
		},
	}
}

// writeManual writes a page for each command that help shows.
func writeManual(c *cobra.Command, dir string) error {
	name := strings.ReplaceAll(c.CommandPath(), " ", "-")
	if err := os.WriteFile(filepath.Join(dir, name+".1"), []byte(manual(c)), 0o644); err != nil {
		return err
	}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			if err := writeManual(sub, dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// manual is the page of one command.
func manual(c *cobra.Command) string {
	name := strings.ReplaceAll(c.CommandPath(), " ", "-")
	long := c.Long
	if long == "" {
		long = c.Short + "."
	}
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %q 1 \"\" \"Gearbolt\" \"User Commands\"\n", strings.ToUpper(name))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.B %s\n", roff(name), roff(c.Short), roff(c.UseLine()))
	section(&b, "DESCRIPTION", long)
	section(&b, "EXAMPLES", c.Example)
	flagSection(&b, "OPTIONS", c.NonInheritedFlags())
	flagSection(&b, "SERVER OPTIONS", c.InheritedFlags())
	b.WriteString(".SH SEE ALSO\n" + roff(strings.Join(related(c), ", ")) + "\n")
	return b.String()
}

// section writes text as it is: it is set for a terminal.
func section(b *strings.Builder, title, text string) {
	if text != "" {
		fmt.Fprintf(b, ".SH %s\n.nf\n%s\n.fi\n", title, roff(text))
	}
}

func flagSection(b *strings.Builder, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	fmt.Fprintf(b, ".SH %s\n", title)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		kind, usage := pflag.UnquoteUsage(f)
		head := "--" + f.Name
		if f.Shorthand != "" {
			head = "-" + f.Shorthand + ", " + head
		}
		if kind != "" {
			head += " " + kind
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "[]" && f.DefValue != "0s" {
			usage += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(head), roff(usage))
	})
}

// related are the pages beside this one.
func related(c *cobra.Command) (names []string) {
	if c.HasParent() {
		names = append(names, strings.ReplaceAll(c.Parent().CommandPath(), " ", "-")+"(1)")
	}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, strings.ReplaceAll(sub.CommandPath(), " ", "-")+"(1)")
		}
	}
	return names
}

// roff writes text so that troff prints it as it is.
func roff(text string) string {
	lines := strings.Split(strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
