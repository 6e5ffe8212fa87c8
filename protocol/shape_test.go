package protocol

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestArgumentsAtTheirBorder(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		name string
		t    Type
		body string
		err  error
	}{
		// A NUL counts where the argument needs one.
		{"name of 8191 and NUL", SubmitJob, x(8191) + "\x00\x00", nil},
		{"name of 8192 and NUL", SubmitJob, x(8192) + "\x00\x00", ErrArgTooLarge},
		{"name of 8193 and NUL", SubmitJob, x(8193) + "\x00\x00", ErrArgTooLarge},
		{"unique of 8191 and NUL", SubmitJob, "f\x00" + x(8191) + "\x00", nil},
		{"unique of 8192 and NUL", SubmitJob, "f\x00" + x(8192) + "\x00", ErrArgTooLarge},
		{"handle of 8191 and NUL", WorkComplete, x(8191) + "\x00", nil},
		{"handle of 8192 and NUL", WorkComplete, x(8192) + "\x00", ErrArgTooLarge},
		// A last argument without data behind it needs none.
		{"last of 8191", CanDo, x(8191), nil},
		{"last of 8192", CanDo, x(8192), nil},
		{"last of 8193", CanDo, x(8193), ErrArgTooLarge},
		{"timeout of 8192", CanDoTimeout, "f\x00" + x(8192), nil},
		{"timeout of 8193", CanDoTimeout, "f\x00" + x(8193), ErrArgTooLarge},
		// Data is as long as it likes.
		{"data of 100,000", SubmitJob, "f\x00u\x00" + x(100_000), nil},
		{"echo of 100,000", EchoReq, x(100_000), nil},
	} {
		if err := Split(c.t, []byte(c.body), new(Args)); !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
		}
	}
}

// How long a unique id may be is for the router to judge, which answers an
// ERROR: it comes whole.
func TestUniquesComeWhole(t *testing.T) {
	for _, n := range []int{0, 1, MaxUnique - 1, MaxUnique, MaxUnique + 1} {
		unique := strings.Repeat("u", n)
		if got := splitParts(t, SubmitJobBG, "f\x00"+unique+"\x00data"); got[1] != unique {
			t.Errorf("a unique of %d bytes came as %q", n, got[1])
		}
	}
}

func splitParts(t *testing.T, number Type, body string) []string {
	t.Helper()
	var a Args
	if err := Split(number, []byte(body), &a); err != nil {
		t.Fatalf("%s %q: %v", number, body, err)
	}
	return parts(&a)
}

func TestForms(t *testing.T) {
	for _, c := range []struct {
		name string
		t    Type
		body string
		want []string
	}{
		{"NULs belong to data", SubmitJob, "f\x00u\x00a\x00b\x00", []string{"f", "u", "a\x00b\x00"}},
		{"NULs belong to a last argument", CanDo, "f\x00", []string{"f\x00"}},
		{"so does a handle's own NUL", WorkFail, "H:h:1\x00", []string{"H:h:1\x00"}},
		{"empty arguments", SubmitJob, "\x00\x00", []string{"", "", ""}},
		{"an empty last argument", CanDo, "", []string{""}},
		{"an empty echo", EchoReq, "", []string{""}},
		{"a body that is ignored", GrabJob, "seven\x00!", nil},
		{"WORK_COMPLETE without NUL", WorkComplete, "h", []string{"h"}},
		{"WORK_DATA without NUL", WorkData, "h", []string{"h"}},
		{"WORK_WARNING without NUL", WorkWarning, "h", []string{"h"}},
		{"WORK_EXCEPTION without NUL", WorkException, "h", []string{"h"}},
		{"WORK_COMPLETE with empty data", WorkComplete, "h\x00", []string{"h", ""}},
		{"WORK_STATUS without denominator", WorkStatus, "h\x005", []string{"h", "5"}},
		{"WORK_STATUS with an empty one", WorkStatus, "h\x005\x00", []string{"h", "5", ""}},
		{"WORK_STATUS with a NUL behind", WorkStatus, "h\x005\x006\x00", []string{"h", "5", "6\x00"}},
		{"REDUCE with three NULs", SubmitReduceJob, "f\x00u\x00r\x00data", []string{"f", "u", "r", "data"}},
		{"REDUCE with four NULs", SubmitReduceJob, "f\x00u\x00r\x00\x00data", []string{"f", "u", "r", "", "data"}},
		{"REDUCE_BACKGROUND with three NULs", SubmitReduceJobBG, "f\x00u\x00r\x00", []string{"f", "u", "r", ""}},
		{"REDUCE_BACKGROUND with NULs in data", SubmitReduceJobBG, "f\x00u\x00r\x00a\x00d\x00e", []string{"f", "u", "r", "a", "d\x00e"}},
	} {
		if got := splitParts(t, c.t, c.body); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestTooFewArguments(t *testing.T) {
	for number, bodies := range map[Type][]string{
		SubmitJob:         {"", "f", "f\x00u"},
		SubmitJobEpoch:    {"f\x00u\x00170"},
		SubmitJobSched:    {"f\x00u\x001\x002\x003\x004\x005"},
		SubmitReduceJob:   {"", "f\x00u\x00r"},
		SubmitReduceJobBG: {"f\x00u"},
		CanDoTimeout:      {"", "f"},
		WorkStatus:        {"", "h"},
		StatusRes:         {"h\x001\x000\x000"},
		JobAssign:         {"h\x00f"},
		Error:             {"code"},
	} {
		for _, body := range bodies {
			if err := Split(number, []byte(body), new(Args)); !errors.Is(err, ErrTooFewArgs) {
				t.Errorf("%s %q: %v", number, body, err)
			}
		}
	}
}

// Args is used again for packet after packet.
func TestSplitLeavesNothingOfTheLastPacket(t *testing.T) {
	var a Args
	if err := Split(SubmitJob, []byte("f\x00u\x00data"), &a); err != nil {
		t.Fatal(err)
	}
	if err := Split(GrabJob, nil, &a); err != nil || a.N != 0 || a.Data != nil {
		t.Errorf("got %d arguments and data %q, %v", a.N, a.Data, err)
	}
}

func TestCString(t *testing.T) {
	for in, want := range map[string]string{"": "", "h": "h", "h\x00": "h", "h\x00i\x00": "h", "\x00h": ""} {
		if got := string(CString([]byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
