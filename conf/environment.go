package conf

import (
	"slices"
	"strings"
)

const prefix = "GEARBOLT_"

// variables are environment variables by name. An empty one counts as unset.
type variables map[string]string

func environment(environ []string) variables {
	env := variables{}
	for _, e := range environ {
		if name, v, ok := strings.Cut(e, "="); ok && v != "" {
			env[name] = v
		}
	}
	return env
}

// layer returns what the variables GEARBOLT_... say. A variable that belongs
// to no setting is noted: it may be misspelt.
func (env variables) layer(inv *Invocation) layer {
	l := layer{}
	known := map[string]bool{}
	for i := range table {
		v := table[i].variable()
		known[v] = true
		env.read(inv, l, v, table[i].name)
	}
	var unknown []string
	for name := range env {
		if strings.HasPrefix(name, prefix) && !known[name] {
			unknown = append(unknown, name)
		}
	}
	if slices.Sort(unknown); len(unknown) > 0 {
		inv.Notes = append(inv.Notes, "environment "+strings.Join(unknown, ", ")+": there is no such setting")
	}
	return l
}

// read takes one variable into l. Kubernetes and Docker set NAME_PORT to a
// URL for every service called NAME: that is not a port that anybody chose.
func (env variables) read(inv *Invocation, l layer, variable, name string) {
	v, ok := env[variable]
	switch {
	case !ok:
	case name == "port" && strings.Contains(v, "://"):
		inv.Notes = append(inv.Notes, "environment "+variable+" holds the URL of a linked service; it is not taken for a port")
	default:
		l.add(name, v, "environment "+variable)
	}
}
