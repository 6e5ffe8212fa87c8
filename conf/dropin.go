package conf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// parseDropIn reads a command line, configuration file and environment of
// gearmand's. There the file counts before the environment; our own variables
// count between the flags and the file, as always.
func parseDropIn(p Process, args []string) (*Invocation, error) {
	inv := &Invocation{DropIn: true}
	words, err := readWords(args)
	if err != nil {
		return nil, err
	}
	for _, w := range words {
		inv.obey(w.option.long)
	}
	if inv.Command == Help || inv.Command == Version {
		return inv, nil
	}
	flags, err := inv.read(words, func(o *option) string { return "flag --" + o.long })
	if err != nil {
		return nil, err
	}
	env := environment(p.Environ)
	variables := env.layer(inv)
	file, err := inv.dropInFile(p, flags, variables)
	if err != nil {
		return nil, err
	}
	return inv, inv.resolve(p, env, flags, variables, file, env.gearmand(inv), dropInDefaults())
}

// obey sets the command that an option stands for.
func (inv *Invocation) obey(long string) {
	switch {
	case long == "help":
		inv.Command = Help
	case long == "version" && inv.Command != Help:
		inv.Command = Version
	case long == "check-args" && inv.Command == Serve:
		inv.Command = Check
	}
}

// read turns options into settings, and what has no meaning here into notes.
func (inv *Invocation) read(words []word, origin func(*option) string) (layer, error) {
	l := layer{}
	for _, w := range words {
		o := w.option
		if o.note != "" && (o.plain == "" || !strings.EqualFold(o.plain, w.arg)) {
			inv.Notes = append(inv.Notes, "option --"+o.long+" changes nothing: "+o.note)
		}
		if o.set == nil {
			continue
		}
		name, text, err := o.set(w.arg)
		if err != nil {
			return nil, fmt.Errorf("%s %q (%s) %w", o.long, w.arg, origin(o), err)
		}
		if name != "" {
			l.add(name, text, origin(o))
		}
		if name == "job-retries" && text == "0" {
			inv.Notes = append(inv.Notes, "option --job-retries=0: there is no bound, as in gearmand before 2.0")
		}
	}
	return l, nil
}

// dropInFile reads the file of options that the layers name, or the default
// one if it exists.
func (inv *Invocation) dropInFile(p Process, layers ...layer) (layer, error) {
	e, named := namedFile(layers)
	if !named && p.Etc == "" {
		return nil, nil
	}
	if !named {
		e = entry{filepath.Join(p.Etc, "gearmand.conf"), "default"}
	}
	data, err := os.ReadFile(e.text)
	if !named && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("config-file %q (%s) cannot be read: %w", e.text, e.origin, err)
	}
	l, err := inv.readOptions(string(data), e.text)
	if err != nil {
		return nil, err
	}
	l.add("config-file", e.text, e.origin)
	return l, nil
}

// readOptions understands the text of a file of options.
func (inv *Invocation) readOptions(text, path string) (layer, error) {
	words, err := readWords(strings.Fields(text))
	if err != nil {
		return nil, fmt.Errorf("file %s: %w", path, err)
	}
	for _, w := range words {
		switch w.option.long {
		case "help", "version", "check-args", "config-file":
			return nil, fmt.Errorf("file %s: %w", path, unrecognised("--"+w.option.long))
		}
	}
	return inv.read(words, func(*option) string { return "file " + path })
}

// gearmand returns what gearmand's own variables say.
func (env variables) gearmand(inv *Invocation) layer {
	l := layer{}
	env.read(inv, l, "GEARMAND_PORT", "port")
	env.read(inv, l, "GEARMAND_CA_CERTIFICATE", "ssl-ca-file")
	env.read(inv, l, "GEARMAND_SERVER_PEM", "ssl-certificate")
	env.read(inv, l, "GEARMAND_SERVER_KEY", "ssl-key")
	return l
}

// dropInDefaults are gearmand's where a start script may count on them: it
// listens everywhere, logs errors to its file, and does not wait for jobs
// when it is stopped, so that a script may start the next one at once.
func dropInDefaults() layer {
	return layer{
		"listen":           {"0.0.0.0,::", "default"},
		"log-file":         {"/var/log/gearmand.log", "default"},
		"verbose":          {"ERROR", "default"},
		"shutdown-timeout": {"0s", "default"},
	}
}
