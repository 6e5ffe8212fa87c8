package conf

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// readFlags reads a command line of our own: a command, then flags. The
// layer holds what the flags say.
func readFlags(args []string) (layer, *Invocation, error) {
	inv := &Invocation{}
	word := "serve"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		word, args = args[0], args[1:]
	}
	if err := inv.setCommand(word); err != nil {
		return nil, nil, err
	}
	flags := layer{}
	set := newFlagSet(flags)
	help := set.BoolP("help", "h", false, "print this text")
	version := set.BoolP("version", "V", false, "print the version")
	if inv.Command == Show {
		set.VarP(&inv.Output, "output", "o", "table, yaml or toml")
	}
	if err := set.Parse(args); err != nil {
		return nil, nil, errors.New(oneLine(err.Error()) + "; gearbolt serve --help lists the flags")
	}
	switch {
	case *help:
		inv.Command = Help
	case *version:
		inv.Command = Version
	case set.NArg() > 0:
		return nil, nil, fmt.Errorf("argument %q has no meaning here; gearbolt serve --help says what has", set.Arg(0))
	}
	return flags, inv, nil
}

func (inv *Invocation) setCommand(word string) error {
	commands := map[string]Command{"serve": Serve, "config": Show, "version": Version, "help": Help}
	c, ok := commands[word]
	if !ok {
		return fmt.Errorf("command %q is unknown; give serve, config, version, help or gearmand", word)
	}
	inv.Command = c
	return nil
}

func newFlagSet(l layer) *pflag.FlagSet {
	set := pflag.NewFlagSet("gearbolt", pflag.ContinueOnError)
	set.SortFlags = false
	set.Usage = func() {}
	defaults := Defaults()
	for i := range table {
		s := &table[i]
		v := s.value(&defaults)
		f := set.VarPF(&flag{s.name, v, l}, s.name, s.short, s.usage)
		if v.kind() == "bool" {
			f.NoOptDefVal = "true"
		}
	}
	return set
}

// A flag is a pflag.Value that hands what is given to a layer.
type flag struct {
	name      string
	byDefault value
	layer     layer
}

func (f *flag) Set(text string) error {
	f.layer.add(f.name, text, "flag --"+f.name)
	return nil
}

func (f *flag) String() string { return f.byDefault.String() }
func (f *flag) Type() string   { return f.byDefault.kind() }
