package conf

import (
	"strings"
	"testing"
)

func TestErrorsNameSettingValueAndOrigin(t *testing.T) {
	for line, wants := range map[string][]string{
		"gearbolt --port 99999":                                   {`port "99999" (flag --port)`, "0 to 65535"},
		"gearbolt --port=":                                        {`port "" (flag --port)`},
		"gearbolt --packet-limit 64MiX":                           {`packet-limit "64MiX" (flag --packet-limit)`, "64MiB"},
		"gearbolt --packet-limit 99999999999GiB":                  {`packet-limit "99999999999GiB"`, "too large"},
		"gearbolt --packet-limit 5":                               {"too small", "8KiB"},
		"gearbolt --packet-limit 65MiB":                           {`outbox-limit "64MiB" (default)`, "packet-limit (65MiB)"},
		"gearbolt --memory-limit 63MiB":                           {`memory-limit "63MiB" (flag --memory-limit)`, "at least 64MiB"},
		"gearbolt --read-memory 63MiB":                            {`read-memory "63MiB"`, "packet-limit (64MiB)"},
		"gearbolt --outbox-memory 1MiB":                           {`outbox-memory "1MiB"`, "packet-limit (64MiB)"},
		"gearbolt --max-jobs=-1":                                  {`max-jobs "-1"`, "from 0"},
		"gearbolt --read-timeout 60":                              {`read-timeout "60"`, "unit"},
		"gearbolt --store-max-size 63MiB":                         {`store-max-size "63MiB"`, "64MiB"},
		"gearbolt --shutdown-timeout 10":                          {`shutdown-timeout "10"`, "unit"},
		"gearbolt --shutdown-timeout=-3s":                         {`shutdown-timeout "-3s"`},
		"gearbolt --job-retries=-2":                               {`job-retries "-2"`, "from -1"},
		"gearbolt --verbose loud":                                 {`verbose "loud"`, "FATAL, ALERT"},
		"gearbolt --store sqlite":                                 {`store "sqlite"`, "bolt, memory"},
		"gearbolt --ssl=perhaps":                                  {`ssl "perhaps"`, "true"},
		"gearbolt --ssl":                                          {`ssl-certificate "" (default)`, "PEM"},
		"gearbolt --listen tls://a":                               {`ssl-certificate`},
		"gearbolt --ssl --ssl-certificate=c":                      {`ssl-key`},
		"gearbolt --ssl-require-client-certificate":               {`ssl-ca-file`},
		"gearbolt --job-handle-prefix " + strings.Repeat("p", 36): {"job-handle-prefix", "35 bytes"},
		"gearbolt --listen http://a":                              {`listen "http://a" (flag --listen)`, "unix:/path"},
		"gearbolt --listen unix:@gearbolt":                        {`listen "unix:@gearbolt" (flag --listen)`, "abstract", "unix:/path"},
		"gearbolt --data-dir=":                                    {`data-dir "" (flag --data-dir) names no directory; give one`},
		"gearbolt --bogus":                                        {"--bogus", "--help"},
		"gearbolt --por 1":                                        {"--por"},
		"gearbolt --port":                                         {"port"},
		"gearbolt run":                                            {`"run"`, "serve"},
		"gearbolt serve now":                                      {`"now"`},
		"gearbolt config --output json":                           {"json", "table, yaml, toml"},
		"gearbolt --config-file=x.ini":                            {`config-file "x.ini" (flag --config-file)`, ".yaml"},
		"gearbolt --config-file=/none/x.yaml":                     {`config-file "/none/x.yaml"`, "no such file"},
	} {
		t.Run(line, func(t *testing.T) {
			refuse(t, Process{Args: strings.Fields(line), Root: true}, wants...)
		})
	}
}

func TestBadFiles(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"g.yaml", "prot: 3\n", "prot (file "},
		{"g.toml", "[log]\nfile = 'x'\n", "log.file (file "},
		{"g.yaml", "config-file: other.yaml\n", "config-file (file "},
		{"g.yaml", "port: {a: 1}\n", "port.a"},
		{"g.yaml", "listen: [[{a: 1}]]\n", "list of them"},
		{"g.yaml", "port: [\n", "cannot be understood"},
		{"g.yaml", "- port\n", "cannot be understood"},
		{"g.toml", "port = 1\nport = 2\n", "cannot be understood"},
		{"g.yaml", "port: many\n", `port "many" (file `},
		{"g.yaml", "verbose: info\nport: 04730 # decimal\n", `port "04730" (file `},
		{"g.yml", "  worker-wakeup : 010", `worker-wakeup "010" (file `},
		{"g.toml", "port = 04730", "cannot be understood"},
		{"g.yaml", "data-dir: ''\n", "names no directory; give one"},
		{"g.yaml", "port:\n", `port "" (file `},
	} {
		path := write(t, c.name, c.text)
		refuse(t, Process{Args: []string{"gearbolt", "--config-file", path}, Root: true}, c.want, path)
	}
}

func TestStrangeVariablesAreNoted(t *testing.T) {
	inv := parse(t, "gearbolt", "GEARBOLT_PORT=tcp://10.0.0.1:4730", "GEARBOLT_PROT=1", "GEARBOLT_VERBOSE=", "PORT=9")
	if inv.Settings.Port != 4730 || inv.Settings.Verbose != "INFO" || len(inv.Notes) != 2 {
		t.Errorf("got port %d, verbose %s, notes %q", inv.Settings.Port, inv.Settings.Verbose, inv.Notes)
	}
	if notes := strings.Join(inv.Notes, "\n"); !strings.Contains(notes, "GEARBOLT_PROT") || !strings.Contains(notes, "GEARBOLT_PORT") {
		t.Errorf("got notes %q", notes)
	}
}

func FuzzFile(f *testing.F) {
	f.Add("port: 3\nlisten: [a, b]\n", true)
	f.Add("port = 3\nlisten = ['a', 'b']\n", false)
	f.Fuzz(func(t *testing.T, text string, yaml bool) {
		kind := "toml"
		if yaml {
			kind = "yaml"
		}
		l, err := readFile(strings.NewReader(text), kind, "f")
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q is more than a line", err)
		}
		for name := range l {
			if lookup(name) == nil {
				t.Errorf("%q is no setting", name)
			}
		}
	})
}

func TestChanged(t *testing.T) {
	a, b := parse(t, "gearbolt --port 1"), parse(t, "gearbolt --port 2 --verbose info --exceptions")
	if got := strings.Join(a.Changed(b), " "); got != "port exceptions" {
		t.Errorf("got %q", got)
	}
}

func TestAdopt(t *testing.T) {
	a, b := parse(t, "gearbolt --port 1"), parse(t, "gearbolt --port 2 --verbose debug --packet-limit 9KiB")
	a.Adopt(b, "verbose", "packet-limit")
	if s := a.Settings; s.Port != 1 || s.Verbose != "DEBUG" || s.PacketLimit != 9*kib || a.Origins["verbose"] != "flag --verbose" {
		t.Errorf("got %+v, %v", s, a.Origins)
	}
}
