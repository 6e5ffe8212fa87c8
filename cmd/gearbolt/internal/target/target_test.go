package target

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"jobs":             "tcp://jobs:4730",
		"jobs:1":           "tcp://jobs:1",
		"tcp://jobs":       "tcp://jobs:4730",
		"tls://jobs:1":     "tls://jobs:1",
		"::1":              "tcp://[::1]:4730",
		"[::1]":            "tcp://[::1]:4730",
		"[::1]:9":          "tcp://[::1]:9",
		"/run/g.sock":      "unix:/run/g.sock",
		"unix:/run/g.sock": "unix:/run/g.sock",
		"unix:///run/g":    "unix:/run/g",
		"unix:run/g.sock":  "unix:run/g.sock",
	} {
		a, err := Parse(text, false)
		if err != nil || a.URL() != want {
			t.Errorf("%s: got %s, %v; want %s", text, a.URL(), err, want)
		}
	}
	for _, text := range []string{"http://jobs", "jobs:x", ":4730", "jobs:99999", "a]:1", "unix:", "unix://"} {
		if a, err := Parse(text, false); err == nil {
			t.Errorf("%s: got %v and no error", text, a)
		}
	}
	if a, _ := Parse("jobs", true); !a.Secure {
		t.Error("a bare address is not secure where --tls says so")
	}
	if a, _ := Parse("tcp://jobs", true); a.Secure {
		t.Error("tcp:// is secure")
	}
}

func TestResolve(t *testing.T) {
	env := map[string]string{"GEARBOLT_SERVERS": "b1 b2", "GEARMAN_SERVERS": "m1:1,m2:2"}
	getenv := func(name string) string { return env[name] }
	want := func(o Options, urls ...string) {
		t.Helper()
		set, err := o.Resolve(getenv)
		if err != nil || !slices.Equal(set.URLs(), urls) {
			t.Errorf("got %v, %v; want %v", set, err, urls)
		}
	}
	want(Options{Servers: []string{"f1,f2", "f1"}}, "tcp://f1:4730", "tcp://f2:4730")
	want(Options{}, "tcp://b1:4730", "tcp://b2:4730")
	delete(env, "GEARBOLT_SERVERS")
	want(Options{}, "tcp://m1:1", "tcp://m2:2")
	delete(env, "GEARMAN_SERVERS")
	want(Options{Secure: true}, "tls://127.0.0.1:4730")
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{{CA: "/nonexistent"}, {CA: empty}, {Certificate: empty}} {
		_, err := o.Resolve(func(string) string { return "" })
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: got %v", o, err)
		}
	}
}
