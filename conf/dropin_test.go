package conf

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDropInDefaults(t *testing.T) {
	s := parse(t, "gearmand").Settings
	want := []Endpoint{{Host: "0.0.0.0"}, {Host: "::"}}
	if !reflect.DeepEqual(s.Listen, want) || s.Port != 4730 || s.Verbose != "ERROR" ||
		s.LogFile != "/var/log/gearmand.log" || s.Store != "bolt" || s.ShutdownTimeout != 0 || s.PIDFile != "" {
		t.Errorf("got %+v", s)
	}
}

func TestDropInMeanings(t *testing.T) {
	everything := "gearmand -b 7 -d --exceptions -f 99 -j 3 --job-handle-prefix=H:x --keepalive --keepalive-idle=5" +
		" --keepalive-interval 6 --keepalive-count=7 -l /l -L ::1 -P /p -u me --verbose INFO -w 2 -p4731" +
		" --ssl --ssl-ca-file ca --ssl-certificate crt --ssl-key key"
	got := parse(t, everything)
	want := Defaults()
	want.Backlog, want.Daemon, want.Exceptions, want.FileDescriptors, want.JobRetries = 7, true, true, 99, 3
	want.JobHandlePrefix, want.KeepaliveIdle, want.KeepaliveInterval, want.KeepaliveCount = "H:x", 5*time.Second, 6*time.Second, 7
	want.LogFile, want.Listen, want.PIDFile, want.User, want.Verbose = "/l", []Endpoint{{Host: "::1"}}, "/p", "me", "INFO"
	want.WorkerWakeup, want.Port, want.ShutdownTimeout, want.DataDir = 2, 4731, 0, "/var/lib/gearbolt"
	want.SSL, want.SSLCAFile, want.SSLCertificate, want.SSLKey = true, "ca", "crt", "key"
	if !reflect.DeepEqual(got.Settings, want) || len(got.Notes) != 0 {
		t.Errorf("got %+v\nwant %+v\nnotes %q", got.Settings, want, got.Notes)
	}
}

func TestDropInLeniency(t *testing.T) {
	s := parse(t, "gearmand --keepalive-idle=-1 --keepalive-count -1 --job-retries=-1 --syslog --verbose debug").Settings
	want := Defaults()
	if s.KeepaliveIdle != want.KeepaliveIdle || s.KeepaliveCount != want.KeepaliveCount || s.JobRetries != 0 ||
		s.LogFile != "syslog" || s.Verbose != "DEBUG" {
		t.Errorf("got %+v", s)
	}
	if bundle := parse(t, "gearmand -dRj3").Settings; !bundle.Daemon || bundle.JobRetries != 3 {
		t.Errorf("-dRj3: got %+v", bundle)
	}
}

// Each thing that is accepted and changes nothing is said once, and what it
// was set to (a password, perhaps) is not repeated.
func TestDropInNotes(t *testing.T) {
	inv := parse(t, "gearmand --threads=10 --job-retries=0 --hashtable-buckets 991 -R -r http --http-port=8080 --coredump"+
		" -q MySQL --mysql-password=secret --libtokyocabinet-file=/x --store-queue-on-shutdown")
	if got := len(inv.Notes); got != 11 {
		t.Errorf("got %d notes: %q", got, inv.Notes)
	}
	if all := strings.Join(inv.Notes, "|"); strings.Contains(all, "secret") || strings.Contains(all, "\n") {
		t.Errorf("got notes %q", all)
	}
	if inv.Settings.Store != "bolt" {
		t.Errorf("got store %q", inv.Settings.Store)
	}
	for line, want := range map[string]int{"-q libsqlite3": 1, "--queue-type=postgres": 1, "-q builtin": 0, "--queue-type=Builtin": 0} {
		if got := parse(t, "gearmand "+line).Notes; len(got) != want || want == 1 && !strings.Contains(got[0], "--queue-type") {
			t.Errorf("%s: got notes %q", line, got)
		}
	}
}

func TestDropInSources(t *testing.T) {
	file := write(t, "gearmand.conf", "--port=3\n  --verbose   DEBUG\r\n\t-R --backlog 3\n")
	for _, line := range []string{"gearmand --backlog 1 --config-file=" + file, "gearmand --backlog 1 @" + file} {
		inv := parse(t, line, "GEARMAND_PORT=4", "GEARMAND_CA_CERTIFICATE=/ca", "GEARMAND_SERVER_PEM=/pem",
			"GEARMAND_SERVER_KEY=/key", "GEARBOLT_DATA_DIR=/data", "GEARBOLT_BACKLOG=2", "GEARBOLT_VERBOSE=INFO")
		s := inv.Settings
		if s.Port != 3 || s.Backlog != 1 || s.Verbose != "INFO" || s.DataDir != "/data" ||
			s.SSLCAFile != "/ca" || s.SSLCertificate != "/pem" || s.SSLKey != "/key" || len(inv.Notes) != 1 {
			t.Errorf("%s: got %+v, notes %q", line, s, inv.Notes)
		}
		if inv.Origins["port"] != "file "+file || inv.Origins["ssl-key"] != "environment GEARMAND_SERVER_KEY" {
			t.Errorf("%s: got origins %v", line, inv.Origins)
		}
	}
	if s := parse(t, "gearmand", "GEARMAND_PORT=4").Settings; s.Port != 4 {
		t.Errorf("GEARMAND_PORT: got port %d", s.Port)
	}
}

// GEARBOLT_CONFIG_FILE names gearmand's kind of file here, as its flag does.
func TestDropInFileByVariable(t *testing.T) {
	file, other := write(t, "a.conf", "--port=3"), write(t, "b.conf", "--port=4")
	inv := parse(t, "gearmand", "GEARBOLT_CONFIG_FILE="+file)
	if inv.Settings.Port != 3 || inv.Settings.ConfigFile != file || inv.Origins["config-file"] != "environment GEARBOLT_CONFIG_FILE" {
		t.Errorf("got %+v, %v", inv.Settings, inv.Origins)
	}
	if s := parse(t, "gearmand --config-file="+other, "GEARBOLT_CONFIG_FILE="+file).Settings; s.Port != 4 || s.ConfigFile != other {
		t.Errorf("beside the flag: got %+v", s)
	}
	refuse(t, Process{Args: []string{"gearmand"}, Environ: []string{"GEARBOLT_CONFIG_FILE=/none"}, Root: true},
		`config-file "/none" (environment GEARBOLT_CONFIG_FILE)`, "no such file")
}

func TestDropInDefaultFile(t *testing.T) {
	etc := filepath.Dir(write(t, "gearmand.conf", "--port=3"))
	inv, err := Parse(Process{Args: []string{"gearmand"}, Root: true, Etc: etc})
	if err != nil || inv.Settings.Port != 3 {
		t.Errorf("got %+v, %v", inv, err)
	}
}

func TestDropInRefuses(t *testing.T) {
	file := write(t, "bad.conf", "--port=3 --bogus")
	inside := write(t, "check.conf", "--check-args")
	for line, want := range map[string]string{
		"gearmand --por 1":                   `"--por"`,
		"gearmand foo":                       `"foo"`,
		"gearmand -- foo":                    `"--"`,
		"gearmand -":                         `"-"`,
		"gearmand @":                         `"@"`,
		"gearmand -vvv":                      `"-vvv"`,
		"gearmand -p":                        "--port lacks",
		"gearmand --port=":                   "--port wants",
		"gearmand --PORT=1":                  `"--PORT"`,
		"gearmand --round-robin=1":           "takes no argument",
		"gearmand --check-args=1":            "takes no argument",
		"gearmand -d -d":                     "more than once",
		"gearmand --port=1 -p 1":             "more than once",
		"gearmand --verbose loud":            `verbose "loud" (flag --verbose)`,
		"gearmand --verbose --check-args":    `verbose "--check-args"`,
		"gearmand --job-retries x":           `job-retries "x"`,
		"gearmand --threads many":            `threads "many" (flag --threads)`,
		"gearmand --keepalive-idle=-2":       `keepalive-idle "-2"`,
		"gearmand -j=3":                      `job-retries "=3"`,
		"gearmand --config-file=/none":       "/none",
		"gearmand @/none":                    "/none",
		"gearmand --config-file=" + file:     "file " + file,
		"gearmand --config-file " + inside:   "--check-args",
		"gearmand --check-args --port 99999": "99999",
	} {
		t.Run(line, func(t *testing.T) {
			refuse(t, Process{Args: strings.Fields(line), Root: true}, want)
		})
	}
}

// Nothing abbreviates: every proper prefix of a long option is refused,
// unless it is an option itself.
func TestAbbreviationsAreRefused(t *testing.T) {
	for i := range options {
		for n := 1; n < len(options[i].long); n++ {
			short := options[i].long[:n]
			if optionByLong(short) != nil {
				continue
			}
			if _, err := readWords([]string{"--" + short, "1"}); err == nil {
				t.Fatalf("--%s was accepted", short)
			}
		}
	}
}

func FuzzWords(f *testing.F) {
	for _, s := range []string{"--port=3\n-dR -j 3", "@x", "-p=4", "--a=b=c -", "--ssl --listen \x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words, err := readWords(strings.Fields(text))
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q is more than a line", err)
			}
			return
		}
		again, err := readWords(spell(words))
		if err != nil || !slices.Equal(again, words) {
			t.Errorf("%q is %v, spelt out it is %v, %v", text, words, again, err)
		}
	})
}

// spell writes words in their long form.
func spell(words []word) []string {
	var args []string
	for _, w := range words {
		if args = append(args, "--"+w.option.long); w.option.arg {
			args = append(args, w.arg)
		}
	}
	return args
}
