// Package conf turns flags, environment variables and a configuration file
// into one plain struct, [Settings].
//
// Every setting has one name, say "data-dir". It is the flag --data-dir, the
// environment variable GEARBOLT_DATA_DIR, and the key data-dir of a YAML or
// TOML file. A flag wins over the environment, the environment over the file,
// the file over the default.
//
// Called as gearmand, or as "gearbolt gearmand", the command line, the
// configuration file and the environment are those of gearmand instead, so
// that its start scripts work as they are; GEARBOLT_... variables count there
// too, behind the flags.
package conf

import "path/filepath"

// A Process is what the settings are read from.
type Process struct {
	Args    []string // the command line, the program's name included
	Environ []string // "NAME=value", as os.Environ returns them
	Root    bool     // the process may do everything: it decides the default data directory

	// Home is the home directory of the user that the process is to become by
	// the setting user, if that is not its own user and the directory is
	// there; otherwise "". It decides the default data directory, too. nil
	// knows nobody.
	Home func(user string) string

	Etc string // directory of the configuration files that are read when they exist; "" reads none
}

// A Command is what the process was asked to do.
type Command uint8

const (
	Serve   Command = iota // run the server
	Show                   // print the effective settings
	Check                  // gearmand's --check-args: all is well, exit 0
	Version                // print the version
	Help                   // print how to use the program
)

// An Invocation is one understood command line with all that belongs to it.
type Invocation struct {
	Command  Command
	Settings Settings
	Origins  map[string]string // by setting: "flag --port", "environment GEARBOLT_PORT", "file /etc/gearbolt.yaml", "default"
	Notes    []string          // one line each, for the log: what was accepted and has no effect
	DropIn   bool              // the command line was gearmand's
	Output   Output            // of the command Show
}

// Parse reads the settings. An error is one line: the setting, its value,
// where it came from, and what to do. Parse touches nothing but the
// configuration file, which it reads.
func Parse(p Process) (*Invocation, error) {
	name, args := "gearbolt", p.Args
	if len(args) > 0 {
		name, args = filepath.Base(args[0]), args[1:]
	}
	if name == "gearmand" {
		return parseDropIn(p, args)
	}
	if len(args) > 0 && args[0] == "gearmand" {
		return parseDropIn(p, args[1:])
	}
	return parseNative(p, args)
}

func parseNative(p Process, args []string) (*Invocation, error) {
	flags, inv, err := readFlags(args)
	if err != nil || inv.Command == Version || inv.Command == Help {
		return inv, err
	}
	env := environment(p.Environ)
	variables := env.layer(inv)
	file, err := nativeFile(p, flags, variables)
	if err != nil {
		return nil, err
	}
	return inv, inv.resolve(p, env, flags, variables, file)
}
