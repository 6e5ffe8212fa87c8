package conf

import (
	"fmt"
	"io"
	"strings"
)

const usage = `Gearbolt is a job server that speaks Gearman.

  gearbolt [serve] [flags]      run the server
  gearbolt config [flags]       print the settings that these flags, the environment and the
                                file amount to, and where each comes from (--output yaml, toml)
  gearbolt version              print the version
  gearbolt gearmand [options]   run the server with gearmand's options, as the name gearmand does

Every flag --some-name is also the environment variable GEARBOLT_SOME_NAME and the key some-name
of a YAML or TOML file (--config-file, otherwise /etc/gearbolt.yaml if it exists). A flag wins over
the environment, the environment over the file. Sizes take units such as 64MiB, lengths of time
such as 10s.

It exits with 0 when it was told to stop, with 1 when it was called wrongly or cannot start, and
with 74 when the disk failed it.

`

// Usage writes how the program is used: gearmand's way if inv is a drop-in.
func (inv *Invocation) Usage(w io.Writer) error {
	if inv.DropIn {
		return dropInUsage(w)
	}
	_, err := fmt.Fprint(w, usage, newFlagSet(layer{}).FlagUsagesWrapped(100))
	return err
}

func dropInUsage(w io.Writer) error {
	var b strings.Builder
	b.WriteString("Options, as gearmand's; those in brackets are accepted and change nothing:\n\n")
	for i := range options {
		o := &options[i]
		name := "--" + o.long
		if o.short != "" {
			name = "-" + o.short + ", " + name
		}
		if o.arg {
			name += " arg"
		}
		if o.note != "" {
			name = "[" + name + "]"
		}
		fmt.Fprintf(&b, "  %-34s %s\n", name, o.help())
	}
	_, err := io.WriteString(w, b.String())
	return err
}
