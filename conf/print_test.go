package conf

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// What config prints as a file is a file that sets just that.
func TestPrintedFileIsRead(t *testing.T) {
	flags := " --listen a,unix:/b --listen=[::1]:5 --port 3 --packet-limit 3000000 --shutdown-timeout 1m --verbose debug --pid-file /x:y --job-retries -1"
	want := parse(t, "gearbolt config"+flags)
	for _, kind := range []Output{"yaml", "toml"} {
		var b bytes.Buffer
		want.Output = kind
		if err := want.Print(&b); err != nil {
			t.Fatal(err)
		}
		got := parse(t, "gearbolt --config-file "+write(t, "g."+string(kind), b.String()))
		got.Settings.ConfigFile = ""
		if !reflect.DeepEqual(got.Settings, want.Settings) {
			t.Errorf("%s: got %+v\nwant %+v", kind, got.Settings, want.Settings)
		}
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	if err := parse(t, "gearbolt config --port 3", "GEARBOLT_USER=me", "GEARBOLT_X=1").Print(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]string{{"port", "3", "flag", "--port"}, {"user", "me", "environment", "GEARBOLT_USER"}, {"store", "bolt", "default"}, {"pid-file", "-", "default"}} {
		if !hasRow(b.String(), want) {
			t.Errorf("no row %q in\n%s", want, b.String())
		}
	}
	if !strings.Contains(b.String(), "note: environment GEARBOLT_X") {
		t.Errorf("no note in\n%s", b.String())
	}
}

func hasRow(text string, want []string) bool {
	for line := range strings.Lines(text) {
		if reflect.DeepEqual(strings.Fields(line), want) {
			return true
		}
	}
	return false
}

func TestUsageNamesEverything(t *testing.T) {
	var native, dropIn bytes.Buffer
	parse(t, "gearbolt help").Usage(&native)
	parse(t, "gearmand --help").Usage(&dropIn)
	for i := range table {
		if !strings.Contains(native.String(), "--"+table[i].name+" ") {
			t.Errorf("the help does not name --%s", table[i].name)
		}
	}
	for i := range options {
		if o := &options[i]; !strings.Contains(dropIn.String(), "--"+o.long) || o.help() == "" {
			t.Errorf("gearmand's help says nothing of --%s", o.long)
		}
	}
}
