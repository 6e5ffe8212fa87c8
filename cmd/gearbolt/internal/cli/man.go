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
			for _, c := range append(pages(root), root) {
				path := filepath.Join(args[0], pageName(c)+".1")
				if err := os.WriteFile(path, []byte(a.manual(c)), 0o644); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// pages are the commands that have a page of their own.
func pages(root *cobra.Command) (all []*cobra.Command) {
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			all = append(all, c)
		}
	}
	return all
}

func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// manual is the page of one command.
func (a *app) manual(c *cobra.Command) string {
	name := pageName(c)
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %q 1 \"\" \"Gearbolt\" \"User Commands\"\n", strings.ToUpper(name))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.B %s\n", roff(name), roff(c.Short), roff(c.UseLine()))
	section(&b, "DESCRIPTION", a.description(c))
	section(&b, "EXAMPLES", c.Example)
	if !c.DisableFlagParsing {
		flagSection(&b, "OPTIONS", c.NonInheritedFlags())
		flagSection(&b, "SERVER OPTIONS", c.InheritedFlags())
	}
	b.WriteString(".SH SEE ALSO\n" + roff(strings.Join(related(c), ", ")) + "\n")
	return b.String()
}

// description is the long help. Of the server's commands that is the server's
// own.
func (a *app) description(c *cobra.Command) string {
	switch {
	case c.DisableFlagParsing:
		var b strings.Builder
		a.Server([]string{c.Name(), "--help"}, &b)
		return b.String()
	case c.Long == "":
		return c.Short + "."
	}
	return c.Long
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
		return []string{pageName(c.Parent()) + "(1)"}
	}
	for _, sub := range pages(c) {
		names = append(names, pageName(sub)+"(1)")
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
