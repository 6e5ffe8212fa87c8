package twin

import (
	"os"
	"slices"
	"testing"
)

func TestNormalize(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	n := newNormalizer(4711, "127.0.0.1:9")
	first, second := "H:"+host+":1-7", "H:"+host+":1-71"
	got := n.answers("c", []message{
		{kind: "JOB_CREATED", body: first},
		{kind: "JOB_ASSIGN", body: second + "\x00f\x00a b"},
		{kind: "STATUS_RES", body: "H:nohost:1\x000"},
		{body: "OK 4711\n"},
		{body: "OK 1.1.20+ds\n"},
		{body: "OK\r\n"},
		{body: "30 127.0.0.1 - : f\n"},
		{body: "31 127.0.0.1 twin-control :\n"},
		{body: "127.0.0.1:9\n"},
		{body: "127.0.0.1:99\n"},
		{kind: "ECHO_RES", body: ""},
		{closed: true},
	})
	want := []string{
		"c < JOB_CREATED {H1}",
		`c < JOB_ASSIGN {H2} f "a b"`,
		"c < STATUS_RES H:nohost:1 0",
		`c < "OK {pid}\n"`,
		`c < "OK {version}\n"`,
		`c < "OK\r\n"`,
		`c < "{fd} 127.0.0.1 - : f\n"`,
		`c < "127.0.0.1:{port}\n"`,
		"c < ECHO_RES",
		"c < (closed)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	if n.handle("H1") != first || n.handle("H2") != second || n.handle("H3") != "{H3}" {
		t.Errorf("the handles are %q", n.handles)
	}
}

func TestListingsAreSorted(t *testing.T) {
	n := newNormalizer(1, "")
	lines := func(bodies ...string) (got []message) {
		for _, b := range bodies {
			got = append(got, message{body: b})
		}
		return got
	}
	got := n.answers("a", lines("9 127.0.0.1 x :\n", "10 127.0.0.1 a :\n", ".\n"))
	if want := []string{`a < "{fd} 127.0.0.1 a :\n"`, `a < "{fd} 127.0.0.1 x :\n"`, `a < ".\n"`}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	got = n.answers("a", lines("z\n", "\tx\n", "a\n", ".\n"))
	if want := []string{`a < "z\n"`, `a < "\tx\n"`, `a < "a\n"`, `a < ".\n"`}; !slices.Equal(got, want) {
		t.Errorf("a line was taken away from the one that it belongs to: %q", got)
	}
	got = n.answers("a", lines("z\t1\n", ".\n", "a\t1\n", ".\n"))
	if want := []string{`a < "z\t1\n"`, `a < ".\n"`, `a < "a\t1\n"`, `a < ".\n"`}; !slices.Equal(got, want) {
		t.Errorf("two listings were mixed: %q", got)
	}
}
