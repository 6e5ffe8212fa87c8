package protocol

import (
	"slices"
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	for line, want := range map[string][]string{
		"":                      {""},
		"status":                {"status"},
		"cancel job H:h:1-2":    {"cancel", "job", "H:h:1-2"},
		"show   unique    jobs": {"show", "unique", "jobs"},
		" status":               {"", "status"},
		"   status":             {"", "status"},
		"status ":               {"status", ""},
		"show jobs   ":          {"show", "jobs", ""},
		" ":                     {"", ""},
		"show\tjobs":            {"show\tjobs"},
		"maxqueue f 1 2 3":      {"maxqueue", "f", "1", "2", "3"},
		"maxqueue f 1 2 ":       {"maxqueue", "f", "1", "2", ""},
		"maxqueue f 1 2 3 4":    nil,
		"maxqueue f 1 2 3 ":     nil,
		" a b c d e":            nil,
	} {
		var w Words
		var got []string
		if SplitWords([]byte(line), &w) {
			for _, word := range w.Word[:w.N] {
				got = append(got, string(word))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestKeywords(t *testing.T) {
	var w Words
	SplitWords([]byte("SHOW jObS extra"), &w)
	if !w.Is(0, "show") || !w.Is(1, "jobs") || w.Is(1, "job") || w.Is(2, "jobs") {
		t.Error("a word is not the keyword that it is, or is one that it is not")
	}
	SplitWords([]byte("show"), &w)
	if w.Is(1, "jobs") {
		t.Error("a word of an earlier line is still there")
	}
}

func TestEqualFoldKnowsOnlyASCII(t *testing.T) {
	for in, want := range map[string]bool{
		"exceptions": true, "EXCEPTIONS": true, "ExCePtIoNs": true,
		"exception": false, "exceptionss": false, "eXceptionſ": false, "e\x18ceptions": false,
	} {
		if EqualFold([]byte(in), "exceptions") != want {
			t.Errorf("%q: %v, want %v", in, !want, want)
		}
	}
	for c := range 256 {
		folds := EqualFold([]byte{byte(c)}, "k")
		if folds != (c == 'k' || c == 'K') {
			t.Errorf("EqualFold(%#x, k) = %v", c, folds)
		}
	}
}

func TestForeign(t *testing.T) {
	for first, want := range map[string]string{
		"GET / HTTP/1.1\r\n":       "HTTP",
		"HEAD /x HTTP/1.0\r\n":     "HTTP",
		"POST /function HTTP/1.1":  "HTTP",
		"PUT /f":                   "HTTP",
		"DELETE /f":                "HTTP",
		"PATCH /f":                 "HTTP",
		"OPTIONS * HTTP/1.1":       "HTTP",
		"CONNECT example.org:443 ": "HTTP",
		"\x16\x03\x01\x02\x00\x01": "TLS",
		"\x16\x03\x03":             "TLS",
		"\x16\x03\x04":             "TLS",
		"\x16\x03\x05":             "",
		"\x16\x02\x01":             "",
		"\x16\x03":                 "",
		"":                         "",
		"status\n":                 "",
		"getpid\n":                 "",
		"GET":                      "",
		"get / http/1.1":           "",
		"\x00REQ\x00\x00\x00\x10":  "",
		strings.Repeat("GET", 3):   "",
	} {
		if got := Foreign([]byte(first)); got != want {
			t.Errorf("%q: %q, want %q", first, got, want)
		}
	}
}
