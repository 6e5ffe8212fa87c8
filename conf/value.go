package conf

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A value is one field of Settings as text.
type value interface {
	Set(text string) error // the error says what is wrong and what to give
	String() string        // Set of it changes nothing
	plain() any            // what a configuration file holds: a bool, an int, a string or a []string
	kind() string          // one word for the help text
}

// text is any string.
type text struct{ p *string }

func (v *text) Set(s string) error { *v.p = s; return nil }
func (v *text) String() string     { return *v.p }
func (v *text) plain() any         { return *v.p }
func (v *text) kind() string       { return "text" }

// toggle is true or false.
type toggle struct{ p *bool }

func (v *toggle) Set(s string) error {
	switch strings.ToLower(s) {
	case "true", "yes", "on", "1":
		*v.p = true
	case "false", "no", "off", "0":
		*v.p = false
	default:
		return errors.New("is neither true nor false; give one of them")
	}
	return nil
}

func (v *toggle) String() string { return strconv.FormatBool(*v.p) }
func (v *toggle) plain() any     { return *v.p }
func (v *toggle) kind() string   { return "bool" }

// number is a whole number from least to 2147483647.
type number struct {
	p     *int
	least int
}

func count(p *int, least int) *number { return &number{p, least} }

func (v *number) Set(s string) error {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || int(n) < v.least {
		return fmt.Errorf("is no number that fits; give a whole number from %d to 2147483647", v.least)
	}
	*v.p = int(n)
	return nil
}

func (v *number) String() string { return strconv.Itoa(*v.p) }
func (v *number) plain() any     { return *v.p }
func (v *number) kind() string   { return "number" }

// retries is a number of runs. gearmand writes -1 or 0 for no bound, by its
// version.
type retries struct{ p *int }

func (v *retries) Set(s string) error {
	if err := count(v.p, -1).Set(s); err != nil {
		return err
	}
	*v.p = max(*v.p, 0)
	return nil
}

func (v *retries) String() string { return strconv.Itoa(*v.p) }
func (v *retries) plain() any     { return *v.p }
func (v *retries) kind() string   { return "number" }

// port is a TCP port by number or by the name of its service.
type port struct{ p *int }

func (v *port) Set(s string) error {
	n, err := net.LookupPort("tcp", s)
	if s == "" || err != nil {
		return errors.New("is no port; give a number from 0 to 65535 or the name of a service")
	}
	*v.p = n
	return nil
}

func (v *port) String() string { return strconv.Itoa(*v.p) }
func (v *port) plain() any     { return *v.p }
func (v *port) kind() string   { return "port" }

// choice is one of a few words, in any case.
type choice struct {
	p     *string
	words []string
}

func (v *choice) Set(s string) error {
	i := slices.IndexFunc(v.words, func(w string) bool { return strings.EqualFold(w, s) })
	if i < 0 {
		return errors.New("is unknown; give one of " + strings.Join(v.words, ", "))
	}
	*v.p = v.words[i]
	return nil
}

func (v *choice) String() string { return *v.p }
func (v *choice) plain() any     { return *v.p }
func (v *choice) kind() string   { return "word" }

// span is a length of time, in Go's syntax.
type span struct{ p *time.Duration }

func (v *span) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return errors.New("is no length of time; give a number with a unit, such as 500ms, 10s or 2m")
	}
	*v.p = d
	return nil
}

func (v *span) String() string { return v.p.String() }
func (v *span) plain() any     { return v.p.String() }
func (v *span) kind() string   { return "time" }

// handlePrefix is what handles begin with. A handle is a colon, an epoch, a
// dash and a number longer, and clients keep 63 bytes of it; they split it from
// what follows at NUL, and the admin protocol at blanks.
type handlePrefix struct{ p *string }

const maxHandlePrefix = 35

func (v *handlePrefix) Set(s string) error {
	unfit := func(r rune) bool { return r <= ' ' || r == 0x7f }
	if len(s) > maxHandlePrefix || strings.ContainsFunc(s, unfit) {
		return fmt.Errorf("cannot begin a handle; give at most %d bytes without blanks", maxHandlePrefix)
	}
	*v.p = s
	return nil
}

func (v *handlePrefix) String() string { return *v.p }
func (v *handlePrefix) plain() any     { return *v.p }
func (v *handlePrefix) kind() string   { return "text" }
