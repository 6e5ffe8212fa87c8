package conf

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// FuzzParse reads any command line and environment, ours and gearmand's. An
// error is one line; settings that are good are printed as a file that means
// the same.
func FuzzParse(f *testing.F) {
	f.Add("gearbolt --port 3 --listen a --listen unix:/b", "GEARBOLT_VERBOSE=debug\nX=y", "yaml")
	f.Add("gearbolt serve -p x --read-timeout 3", "GEARBOLT_PORT=tcp://1:2", "toml")
	f.Add("gearmand -dR -j 3 --verbose INFO -l none", "GEARMAND_PORT=1\nGEARBOLT_PACKET_LIMIT=9KiB", "yaml")
	f.Add("gearbolt config --user '' --data-dir=\xff", "GEARBOLT_LISTEN=,,\nGEARBOLT_KEEPALIVE=maybe", "toml")
	f.Fuzz(func(t *testing.T, args, environ, form string) {
		if strings.Contains(args+environ, "@") || strings.Contains(strings.ToLower(args+environ), "config") {
			t.Skip("reads no file")
		}
		inv, err := Parse(Process{Args: strings.Fields(args), Environ: strings.Split(environ, "\n"), Root: true})
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q is more than a line", err)
			}
			return
		}
		if inv.Command != Serve || form != "yaml" && form != "toml" {
			return
		}
		printAndReadBack(t, inv, form)
	})
}

func printAndReadBack(t *testing.T, inv *Invocation, form string) {
	t.Helper()
	var text bytes.Buffer
	inv.Output = Output(form)
	if err := inv.Print(&text); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "settings."+form)
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := Parse(Process{Args: []string{"gearbolt", "--config-file", file}, Root: true})
	if err != nil {
		t.Fatalf("%v: %v\n%s", inv.Settings, err, &text)
	}
	again.Settings.ConfigFile = inv.Settings.ConfigFile
	if !reflect.DeepEqual(again.Settings, inv.Settings) {
		t.Errorf("%+v became %+v by\n%s", inv.Settings, again.Settings, &text)
	}
}

// FuzzGearmandFile reads gearmand's configuration file.
func FuzzGearmandFile(f *testing.F) {
	for _, s := range []string{"--port=3\n--verbose INFO", "-p 3 -d\n", "# x", "@other", "--config-file=x", "\x00", "--listen"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "@") || strings.Contains(text, "config") {
			t.Skip("reads no other file")
		}
		file := filepath.Join(t.TempDir(), "gearmand.conf")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Parse(Process{Args: []string{"gearmand", "--config-file", file}, Root: true})
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q is more than a line", err)
		}
	})
}
