package conf

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// An entry is one setting as somebody wrote it.
type entry struct {
	text   string
	origin string
}

// A layer is what one source says: settings by name.
type layer map[string]entry

// add puts a setting into l. What is said twice about a list is joined;
// otherwise the last word counts.
func (l layer) add(name, text, origin string) {
	if old, ok := l[name]; ok && name == "listen" {
		text = old.text + "," + text
	}
	l[name] = entry{text, origin}
}

// resolve fills inv.Settings and inv.Origins from layers, of which the first
// that knows a setting counts.
func (inv *Invocation) resolve(p Process, env variables, layers ...layer) error {
	inv.Settings = Defaults()
	inv.Origins = make(map[string]string, len(table))
	merged := layer{}
	for _, l := range slices.Backward(layers) {
		maps.Copy(merged, l)
	}
	inv.Settings.DataDir = defaultDataDir(p, merged["user"].text, env)
	for i := range table {
		if err := inv.set(&table[i], merged); err != nil {
			return err
		}
	}
	return inv.check()
}

func (inv *Invocation) set(s *setting, from layer) error {
	e, ok := from[s.name]
	if !ok {
		inv.Origins[s.name] = "default"
		return nil
	}
	inv.Origins[s.name] = e.origin
	if err := s.value(&inv.Settings).Set(e.text); err != nil {
		return fmt.Errorf("%s %q (%s) %w", s.name, e.text, e.origin, err)
	}
	return nil
}

// defaultDataDir depends on the user that the server runs as, whoever starts
// it, so that a start script that switches users and a service manager that
// has done so find the same jobs. It is the system's place for root and the
// user's own for others (XDG Base Directory Specification, "Environment
// variables"), or "" when the environment names none.
func defaultDataDir(p Process, user string, env variables) string {
	if p.Root {
		if p.Home != nil && user != "" {
			if home := p.Home(user); filepath.IsAbs(home) {
				return dataDirIn(home)
			}
		}
		return "/var/lib/gearbolt"
	}
	if dir := env["XDG_DATA_HOME"]; filepath.IsAbs(dir) {
		return filepath.Join(dir, "gearbolt")
	}
	if home := env["HOME"]; filepath.IsAbs(home) {
		return dataDirIn(home)
	}
	return ""
}

func dataDirIn(home string) string { return filepath.Join(home, ".local", "share", "gearbolt") }

// oneLine makes one line of a message that may have several.
func oneLine(message string) string { return strings.Join(strings.Fields(message), " ") }
