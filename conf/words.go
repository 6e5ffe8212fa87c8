package conf

import (
	"fmt"
	"strings"
)

// A word is one option of a gearmand command line, with its argument.
type word struct {
	option *option
	arg    string
}

// readWords splits a command line into options as gearmand's parser
// (boost::program_options) does: --name=arg, --name arg, -narg, -n arg, and
// short options without an argument bundled. Names are never abbreviated.
func readWords(args []string) ([]word, error) {
	var words []word
	for len(args) > 0 {
		read, rest, err := readWord(args[0], args[1:])
		if err != nil {
			return nil, err
		}
		words, args = append(words, read...), rest
	}
	return words, once(words)
}

func readWord(s string, rest []string) ([]word, []string, error) {
	switch {
	case strings.HasPrefix(s, "@") && len(s) > 1:
		return []word{{optionByLong("config-file"), s[1:]}}, rest, nil
	case strings.HasPrefix(s, "--") && len(s) > 2:
		return readLong(s[2:], rest)
	case strings.HasPrefix(s, "-") && len(s) > 1 && s != "--":
		return readShort(s[1:], rest)
	}
	return nil, nil, unrecognised(s)
}

func unrecognised(s string) error {
	return fmt.Errorf("unrecognised option %q; --help lists the options, which cannot be abbreviated", s)
}

func readLong(s string, rest []string) ([]word, []string, error) {
	name, arg, joined := strings.Cut(s, "=")
	o := optionByLong(name)
	switch {
	case o == nil:
		return nil, nil, unrecognised("--" + name)
	case joined && !o.arg:
		return nil, nil, fmt.Errorf("option --%s takes no argument, and was given %q", name, arg)
	case joined && arg == "":
		return nil, nil, fmt.Errorf("option --%s wants its argument right behind the equal sign", name)
	case joined || !o.arg:
		return []word{{o, arg}}, rest, nil
	}
	return withNext(o, rest)
}

func readShort(s string, rest []string) ([]word, []string, error) {
	var words []word
	for s != "" {
		o := optionByShort(s[:1])
		switch {
		case o == nil:
			return nil, nil, unrecognised("-" + s)
		case o.arg && len(s) == 1:
			last, rest, err := withNext(o, rest)
			return append(words, last...), rest, err
		case o.arg:
			return append(words, word{o, s[1:]}), rest, nil
		}
		words, s = append(words, word{o, ""}), s[1:]
	}
	return words, rest, nil
}

// withNext takes the next word for o's argument, even one that begins with a
// dash: --job-retries -1.
func withNext(o *option, rest []string) ([]word, []string, error) {
	if len(rest) == 0 {
		return nil, nil, fmt.Errorf("option --%s lacks its argument", o.long)
	}
	return []word{{o, rest[0]}}, rest[1:], nil
}

// once refuses an option that is given twice.
func once(words []word) error {
	seen := map[*option]bool{}
	for _, w := range words {
		if seen[w.option] {
			return fmt.Errorf("option --%s is given more than once; give it once", w.option.long)
		}
		seen[w.option] = true
	}
	return nil
}
