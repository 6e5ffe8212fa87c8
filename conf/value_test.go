package conf

import "testing"

func TestEndpoints(t *testing.T) {
	for text, want := range map[string]struct{ network, address string }{
		"localhost":     {"tcp", "localhost:4730"},
		"10.0.0.1:99":   {"tcp", "10.0.0.1:99"},
		"::":            {"tcp", "[::]:4730"},
		"fe80::1%eth0":  {"tcp", "[fe80::1%eth0]:4730"},
		"[::1]":         {"tcp", "[::1]:4730"},
		"[::1]:0":       {"tcp", "[::1]:0"},
		":5":            {"tcp", ":5"},
		"tls://h:1":     {"tcp", "h:1"},
		"tcp://[::1]:1": {"tcp", "[::1]:1"},
		"unix:/run/a":   {"unix", "/run/a"},
	} {
		e, err := parseEndpoint(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if network, address := e.Address(4730); network != want.network || address != want.address {
			t.Errorf("%s: got %s %s, want %v", text, network, address, want)
		}
	}
	for _, text := range []string{"", "unix:", "http://h", "a:b:c", "h:", "h:99999", "[1.2.3.4]", "[h]:x", "/run/a", "[a:b]", "tcp://", "u@h"} {
		if e, err := parseEndpoint(text); err == nil {
			t.Errorf("%q was taken for %+v", text, e)
		}
	}
}

func TestSecure(t *testing.T) {
	s := &Settings{SSL: true}
	for scheme, want := range map[string]bool{"": true, "tcp": false, "tls": true, "unix": false} {
		if got := s.Secure(Endpoint{Scheme: scheme}); got != want {
			t.Errorf("scheme %q: got %v", scheme, got)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "123": 123, "1B": 1, "1k": 1024, "1K": 1024, "1KiB": 1024, "1kib": 1024, "1kB": 1000,
		"64 MiB": 64 << 20, "2G": 2 << 30, "3TB": 3e12, "8191PiB": 8191 << 50, "9223372036854775807": 1<<63 - 1,
	} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%s: got %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1.5G", "1XB", "8192PiB", "9223372036854775808", "99999999999999999999"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q was taken for %d", text, got)
		}
	}
}

func FuzzSize(f *testing.F) {
	f.Add("64MiB")
	f.Add("9223372036854775807")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseSize(text)
		if err != nil {
			return
		}
		if again, err := ParseSize(formatSize(n)); n < 0 || err != nil || again != n {
			t.Errorf("%q is %d, written %s, read back as %d, %v", text, n, formatSize(n), again, err)
		}
	})
}

func FuzzEndpoint(f *testing.F) {
	f.Add("tls://[::1]:99")
	f.Add("unix:/a")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := parseEndpoint(text)
		if err != nil {
			return
		}
		if again, err := parseEndpoint(e.String()); err != nil || again != e {
			t.Errorf("%q is %+v, written %s, read back as %+v, %v", text, e, e.String(), again, err)
		}
	})
}
