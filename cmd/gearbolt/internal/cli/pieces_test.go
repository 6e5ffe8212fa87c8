package cli

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"gearbolt/clients"
)

func TestParseTime(t *testing.T) {
	zone := time.FixedZone("", 2*60*60)
	now := time.Date(2030, 12, 31, 12, 0, 0, 0, zone)
	for text, want := range map[string]time.Time{
		"@100":                 time.Unix(100, 0),
		"2031-01-02T03:04:05Z": time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC),
		"2031-01-02 03:04:05":  time.Date(2031, 1, 2, 3, 4, 5, 0, zone),
		"2031-01-02 03:04":     time.Date(2031, 1, 2, 3, 4, 0, 0, zone),
		"2031-01-02":           time.Date(2031, 1, 2, 0, 0, 0, 0, zone),
		"12:01":                time.Date(2030, 12, 31, 12, 1, 0, 0, zone),
		"12:00":                time.Date(2031, 1, 1, 12, 0, 0, 0, zone),
		"06:00:30":             time.Date(2031, 1, 1, 6, 0, 30, 0, zone),
	} {
		if got, err := parseTime(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: got %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "noon", "25:00", "@x"} {
		if got, err := parseTime(text, now); err == nil {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

func TestBarText(t *testing.T) {
	for _, tc := range []struct {
		done, of uint64
		columns  int
		want     string
	}{
		{3, 0, 80, "3 done"},
		{5, 10, 26, "[######       ]  50% 5/10"},
		{20, 10, 26, "[############] 100% 20/10"},
		{5, 10, 12, " 50% 5/10"},
	} {
		got := barText(tc.done, tc.of, tc.columns)
		if got != tc.want {
			t.Errorf("%+v: got %q", tc, got)
		}
	}
}

func TestTable(t *testing.T) {
	var b strings.Builder
	table := table{columns: []string{"NAME", ">N", "X"}, rows: [][]string{{"é", "1", "-"}, {"a\x1b[2J", "100", ""}}}
	want := "" +
		"NAME        N  X\n" +
		"é           1  -\n" +
		"a\\x1b[2J  100\n"
	if table.write(&b); b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestBytesInJSON(t *testing.T) {
	b, err := json.Marshal([]bytes{bytes("é\"\n"), {0xff, 0}, nil})
	if want := `["é\"\n",{"base64":"/wA="},""]`; string(b) != want || err != nil {
		t.Errorf("got %s, %v", b, err)
	}
}

func TestOutcomes(t *testing.T) {
	for name, err := range map[string]error{
		"complete":    nil,
		"failed":      clients.ErrFailed,
		"exception":   &clients.Exception{Data: []byte("x")},
		"unreachable": clients.ErrNoServer,
		"timeout":     context.DeadlineExceeded,
	} {
		var o outcome
		o.end(t.Context(), false, err)
		if o.Outcome != name || (err == nil) != (o.Error == "") || (o.Exception != nil) != (name == "exception") {
			t.Errorf("%v: got %+v", err, o)
		}
	}
	var o outcome
	if o.end(t.Context(), true, nil); o.Outcome != "queued" {
		t.Errorf("got %+v", o)
	}
}

func TestWithLineEnd(t *testing.T) {
	for text, want := range map[string]string{"": "", "a": "a\n", "a\n": "a\n"} {
		if got := string(withLineEnd([]byte(text))); got != want {
			t.Errorf("%q: got %q", text, got)
		}
	}
}
