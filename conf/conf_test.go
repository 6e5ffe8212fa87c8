package conf

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// parse reads a command line given as one string, for root, with nothing
// else on the machine.
func parse(t *testing.T, line string, environ ...string) *Invocation {
	t.Helper()
	inv, err := Parse(Process{Args: strings.Fields(line), Environ: environ, Root: true})
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// refuse wants the command line refused in one line that contains all of
// wants.
func refuse(t *testing.T, p Process, wants ...string) {
	t.Helper()
	_, err := Parse(p)
	if err == nil {
		t.Fatalf("%q was accepted", p.Args)
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q is more than a line", err)
	}
}

func write(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPrecedence(t *testing.T) {
	file := write(t, "g.yaml", "port: 3\nverbose: debug\nbacklog: 3\n")
	inv := parse(t, "gearbolt serve --port 1 --config-file "+file, "GEARBOLT_PORT=2", "GEARBOLT_VERBOSE=warning")
	s := inv.Settings
	if s.Port != 1 || s.Verbose != "WARNING" || s.Backlog != 3 || s.PacketLimit != 64*mib {
		t.Errorf("got port %d, verbose %s, backlog %d, packet-limit %d", s.Port, s.Verbose, s.Backlog, s.PacketLimit)
	}
	origins := map[string]string{
		"port": "flag --port", "verbose": "environment GEARBOLT_VERBOSE",
		"backlog": "file " + file, "packet-limit": "default",
	}
	for name, want := range origins {
		if got := inv.Origins[name]; got != want {
			t.Errorf("%s comes from %q, want %q", name, got, want)
		}
	}
}

func TestCommands(t *testing.T) {
	for line, want := range map[string]Command{
		"gearbolt": Serve, "gearbolt serve": Serve, "gearbolt --port 1": Serve, "gearbolt config": Show,
		"gearbolt version": Version, "gearbolt --version": Version, "gearbolt help": Help,
		"gearbolt config -h": Help, "/usr/sbin/gearmand": Serve, "gearbolt gearmand": Serve,
		"gearmand --check-args": Check, "gearmand -V": Version, "gearmand -h -V": Help,
	} {
		if got := parse(t, line).Command; got != want {
			t.Errorf("%s: got command %d, want %d", line, got, want)
		}
	}
}

func TestDefaultFile(t *testing.T) {
	etc := filepath.Dir(write(t, "gearbolt.yaml", "port: 77\n"))
	inv, err := Parse(Process{Root: true, Etc: etc})
	if err != nil || inv.Settings.Port != 77 || inv.Settings.ConfigFile != filepath.Join(etc, "gearbolt.yaml") {
		t.Errorf("got %+v, %v", inv, err)
	}
	if _, err := Parse(Process{Root: true, Etc: t.TempDir()}); err != nil {
		t.Errorf("without the default file: %v", err)
	}
}

func TestDefaultDataDir(t *testing.T) {
	for _, c := range []struct {
		root    bool
		environ []string
		want    string
	}{
		{true, []string{"HOME=/root"}, "/var/lib/gearbolt"},
		{false, []string{"HOME=/var/lib/gearman"}, "/var/lib/gearman/.local/share/gearbolt"},
		{false, []string{"HOME=/home/x", "XDG_DATA_HOME=/data/x"}, "/data/x/gearbolt"},
		{false, []string{"HOME=/home/x", "XDG_DATA_HOME=relative"}, "/home/x/.local/share/gearbolt"},
		{false, []string{"GEARBOLT_DATA_DIR=/d"}, "/d"},
	} {
		for _, name := range []string{"gearbolt", "gearmand"} {
			inv, err := Parse(Process{Args: []string{name}, Root: c.root, Environ: c.environ})
			if err != nil || inv.Settings.DataDir != c.want {
				t.Errorf("%s, root %v, %v: got %+v, %v, want %s", name, c.root, c.environ, inv, err, c.want)
			}
		}
	}
	refuse(t, Process{}, `data-dir ""`, "GEARBOLT_DATA_DIR")
	if _, err := Parse(Process{Args: []string{"gearbolt", "--store=memory"}}); err != nil {
		t.Errorf("memory needs no directory: %v", err)
	}
}

// A service has one data directory, whether root starts it and it switches
// users, or it is started as that user.
func TestDefaultDataDirOfAnotherUser(t *testing.T) {
	home := func(user string) string { return map[string]string{"gearman": "/var/lib/gearman"}[user] }
	for _, c := range []struct {
		line    string
		root    bool
		environ []string
		want    string
	}{
		{"--user gearman", true, []string{"HOME=/root", "XDG_DATA_HOME=/root/x"}, "/var/lib/gearman/.local/share/gearbolt"},
		{"", true, []string{"GEARBOLT_USER=gearman"}, "/var/lib/gearman/.local/share/gearbolt"},
		{"--user gearman", false, []string{"HOME=/var/lib/gearman"}, "/var/lib/gearman/.local/share/gearbolt"},
		{"--user gearman", true, []string{"GEARBOLT_DATA_DIR=/d"}, "/d"},
		{"--user nosuchuser", true, []string{"HOME=/root"}, "/var/lib/gearbolt"},
	} {
		for _, name := range []string{"gearbolt ", "gearmand "} {
			inv, err := Parse(Process{Args: strings.Fields(name + c.line), Root: c.root, Home: home, Environ: c.environ})
			if err != nil || inv.Settings.DataDir != c.want {
				t.Errorf("%s%s, root %v, %v: got %+v, %v, want %s", name, c.line, c.root, c.environ, inv, err, c.want)
			}
		}
	}
}

// sample is a text that every setting of v's kind takes and none defaults to.
func sample(s *setting) string {
	switch s.value(&Settings{}).(type) {
	case *toggle:
		if s.name == "keepalive" {
			return "false"
		}
		return "true"
	case *choice:
		return map[string]string{"store": "memory", "verbose": "DEBUG", "log-format": "json"}[s.name]
	case *endpoints:
		return "[::1]:99,unix:/run/g.sock"
	case *size:
		return "77MiB"
	case *span:
		return "1m17s"
	case *text, *handlePrefix:
		return "/some/word.yaml"
	}
	return "77"
}

// Every field of Settings has a flag, a variable and a file key, and each of
// them sets that field and no other.
func TestEveryFieldIsASetting(t *testing.T) {
	fields := map[string]bool{}
	for i := range table {
		s := &table[i]
		byFlag := Defaults()
		if err := s.value(&byFlag).Set(sample(s)); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		field := changed(t, s.name, byFlag)
		if fields[field] {
			t.Errorf("field %s has two settings", field)
		}
		fields[field] = true
		allWaysAgree(t, s, field)
	}
	for f := range reflect.TypeFor[Settings]().Fields() {
		if !fields[f.Name] {
			t.Errorf("field %s has no setting", f.Name)
		}
	}
}

func changed(t *testing.T, name string, s Settings) (field string) {
	t.Helper()
	a, b := reflect.ValueOf(Defaults()), reflect.ValueOf(s)
	for f := range a.Type().Fields() {
		if !reflect.DeepEqual(a.FieldByIndex(f.Index).Interface(), b.FieldByIndex(f.Index).Interface()) {
			if field != "" {
				t.Errorf("setting %s changes both %s and %s", name, field, f.Name)
			}
			field = f.Name
		}
	}
	if field == "" {
		t.Errorf("setting %s changes nothing", name)
	}
	return field
}

func allWaysAgree(t *testing.T, s *setting, field string) {
	t.Helper()
	text := sample(s)
	tls := "--ssl-certificate=c --ssl-key=k --ssl-ca-file=a --outbox-limit=99MiB "
	if strings.HasPrefix(s.name, "ssl-") || s.name == "outbox-limit" || s.name == "config-file" {
		tls = ""
		if s.name == "ssl-require-client-certificate" {
			tls = "--ssl-ca-file=a "
		}
	}
	want := Defaults()
	s.value(&want).Set(text)
	if again := Defaults(); s.value(&again).Set(s.value(&want).String()) != nil || !reflect.DeepEqual(again, want) {
		t.Errorf("%s: what it says of itself, %q, is not what it takes", s.name, s.value(&want))
	}
	get := func(s *Settings) any { return reflect.ValueOf(*s).FieldByName(field).Interface() }
	ways := map[string]*Invocation{}
	if s.name != "config-file" { // naming one would read it
		ways["flag"] = parse(t, "gearbolt "+tls+"--"+s.name+"="+text)
		ways["environment"] = parse(t, "gearbolt "+tls, s.variable()+"="+text)
		ways["yaml"] = parse(t, "gearbolt "+tls+"--config-file="+write(t, "g.yml", s.name+": \""+text+"\"\n"))
		ways["toml"] = parse(t, "gearbolt "+tls+"--config-file="+write(t, "g.toml", s.name+" = \""+text+"\"\n"))
	}
	for way, inv := range ways {
		if !reflect.DeepEqual(get(&inv.Settings), get(&want)) {
			t.Errorf("%s by %s: got %v, want %v", s.name, way, get(&inv.Settings), get(&want))
		}
	}
}

// A number of one zero, and a word in quotes that begins with one, are no octal
// numbers.
func TestTypesOfFiles(t *testing.T) {
	yaml := write(t, "g.yaml", "listen: [a, 'b:1']\nssl: false\nport: 5\npacket-limit: 9000\noutbox-limit: 1 GB\nhandshake-timeout: 3s\nworker-wakeup: 0\njob-handle-prefix: '007'\n")
	toml := write(t, "g.toml", "listen = ['a', 'b:1']\nssl = false\nport = 5\npacket-limit = 9000\noutbox-limit = '1 GB'\nhandshake-timeout = '3s'\n")
	for _, file := range []string{yaml, toml} {
		s := parse(t, "gearbolt --config-file="+file).Settings
		list := []Endpoint{{Host: "a"}, {Host: "b", Port: 1, HasPort: true}}
		if !reflect.DeepEqual(s.Listen, list) || s.Port != 5 || s.PacketLimit != 9000 ||
			s.OutboxLimit != 1e9 || s.HandshakeTimeout != 3*time.Second {
			t.Errorf("%s: got %+v", file, s)
		}
	}
}
