package conf

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// An option is one of gearmand's, of 1.1 or 2.0.
type option struct {
	long, short string
	arg         bool
	note        string // why it changes nothing here; "" if it does
	plain       string // an argument that means what is done here anyhow, and needs no note
	// set says which setting the argument is, and how that is written here.
	// It is nil for what is not a setting.
	set func(arg string) (name, text string, err error)
}

const (
	ownStore = "jobs are kept in Gearbolt's own store"
	noHTTP   = "HTTP is not served"
)

var ownOptions = []option{
	{long: "backlog", short: "b", arg: true, set: to("backlog")},
	{long: "daemon", short: "d", set: on("daemon")},
	{long: "exceptions", set: on("exceptions")},
	{long: "file-descriptors", short: "f", arg: true, set: to("file-descriptors")},
	{long: "help", short: "h"},
	{long: "job-retries", short: "j", arg: true, set: to("job-retries")},
	{long: "job-handle-prefix", arg: true, set: to("job-handle-prefix")},
	{long: "hashtable-buckets", arg: true, set: whole, note: "tables grow by themselves"},
	{long: "keepalive", set: on("keepalive")},
	{long: "keepalive-idle", arg: true, set: seconds("keepalive-idle")},
	{long: "keepalive-interval", arg: true, set: seconds("keepalive-interval")},
	{long: "keepalive-count", arg: true, set: unlessMinusOne("keepalive-count", "")},
	{long: "log-file", short: "l", arg: true, set: to("log-file")},
	{long: "listen", short: "L", arg: true, set: host},
	{long: "pid-file", short: "P", arg: true, set: to("pid-file")},
	{long: "protocol", short: "r", arg: true, note: "only Gearman's protocol is spoken; " + noHTTP},
	{long: "round-robin", short: "R", note: "functions always take turns"},
	{long: "queue-type", short: "q", arg: true, set: queueType, note: ownStore, plain: "builtin"},
	{long: "config-file", arg: true, set: to("config-file")},
	{long: "syslog", set: func(string) (string, string, error) { return "log-file", "syslog", nil }},
	{long: "coredump", note: "set GOTRACEBACK=crash in the environment to get one"},
	{long: "threads", short: "t", arg: true, set: whole, note: "all processors are used"},
	{long: "user", short: "u", arg: true, set: to("user")},
	{long: "verbose", arg: true, set: to("verbose")},
	{long: "version", short: "V"},
	{long: "worker-wakeup", short: "w", arg: true, set: to("worker-wakeup")},
	{long: "check-args"},
	{long: "http-port", arg: true, note: noHTTP},

	{long: "port", short: "p", arg: true, set: to("port")},
	{long: "ssl", set: on("ssl")},
	{long: "ssl-ca-file", arg: true, set: to("ssl-ca-file")},
	{long: "ssl-certificate", arg: true, set: to("ssl-certificate")},
	{long: "ssl-key", arg: true, set: to("ssl-key")},

	{long: "store-queue-on-shutdown", note: "a job is stored before it is acknowledged"},
}

// storeOptions are the options of one of gearmand's stores.
func storeOptions(store string, arg bool, names ...string) []option {
	list := make([]option, len(names))
	for i, name := range names {
		list[i] = option{long: store + "-" + name, arg: arg, note: ownStore}
	}
	return list
}

var options = slices.Concat(ownOptions,
	storeOptions("libsqlite3", true, "db", "table"),
	storeOptions("libmemcached", true, "servers", "prefix"),
	storeOptions("libpq", true, "conninfo", "table"),
	storeOptions("redis", true, "server", "port", "password", "prefix"),
	storeOptions("mysql", true, "host", "port", "user", "password", "db", "table"),
	storeOptions("libtokyocabinet", true, "file"),
	storeOptions("libtokyocabinet", false, "optimize"),
	storeOptions("libdrizzle", true, "host", "port", "uds", "user", "password", "db", "table"),
	storeOptions("libdrizzle", false, "mysql"))

// to sets the setting name to the argument.
func to(name string) func(string) (string, string, error) {
	return func(arg string) (string, string, error) { return name, arg, nil }
}

// on switches the setting name on.
func on(name string) func(string) (string, string, error) {
	return func(string) (string, string, error) { return name, "true", nil }
}

// unlessMinusOne sets the setting name to the argument with a unit; -1 leaves
// the default.
func unlessMinusOne(name, unit string) func(string) (string, string, error) {
	return func(arg string) (string, string, error) {
		n, err := strconv.Atoi(arg)
		if err != nil || n < -1 {
			return "", "", errors.New("is no number that fits; give a whole number, or -1 for the default")
		}
		if n == -1 {
			return "", "", nil
		}
		return name, arg + unit, nil
	}
}

func seconds(name string) func(string) (string, string, error) { return unlessMinusOne(name, "s") }

// whole accepts a whole number and sets nothing.
func whole(arg string) (string, string, error) {
	if _, err := strconv.Atoi(arg); err != nil {
		return "", "", errors.New("is no number; give a whole number")
	}
	return "", "", nil
}

// queueType chooses the store that survives a restart, whatever the type:
// nobody loses jobs by it.
func queueType(arg string) (string, string, error) { return "store", "bolt", nil }

// host is an address without a port. gearmand takes IPv6 bare.
func host(arg string) (string, string, error) { return "listen", strings.TrimSpace(arg), nil }

func optionByLong(name string) *option {
	for i := range options {
		if options[i].long == name {
			return &options[i]
		}
	}
	return nil
}

func optionByShort(name string) *option {
	for i := range options {
		if options[i].short == name {
			return &options[i]
		}
	}
	return nil
}

// help is what the option does, in one line.
func (o *option) help() string {
	switch {
	case o.note != "":
		return o.note
	case o.long == "help":
		return "print this text"
	case o.long == "version":
		return "print the version"
	case o.long == "check-args":
		return "exit with 0 if the options make sense, with 1 otherwise"
	case o.long == "queue-type":
		return "any type: " + ownStore
	case o.long == "syslog":
		return "log to syslog"
	}
	if s := lookup(o.long); s != nil {
		return s.usage
	}
	return ""
}
