package conf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/viper"
)

// nativeFile reads the configuration file that the layers name, or the
// default one if it exists.
func nativeFile(p Process, layers ...layer) (layer, error) {
	if e, ok := namedFile(layers); ok {
		return openFile(e.text, e.origin)
	}
	if p.Etc == "" {
		return nil, nil
	}
	l, err := openFile(filepath.Join(p.Etc, "gearbolt.yaml"), "default")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return l, err
}

// namedFile is the configuration file that the first of the layers names that
// names one.
func namedFile(layers []layer) (entry, bool) {
	for _, l := range layers {
		if e, ok := l["config-file"]; ok {
			return e, true
		}
	}
	return entry{}, false
}

func openFile(path, origin string) (layer, error) {
	kind := strings.TrimPrefix(filepath.Ext(path), ".")
	if !slices.Contains([]string{"yaml", "yml", "toml"}, kind) {
		return nil, fmt.Errorf("config-file %q (%s) is of no kind that is known; give a name that ends in .yaml, .yml or .toml", path, origin)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("config-file %q (%s) cannot be read: %w", path, origin, err)
	}
	defer f.Close()
	l, err := readFile(f, kind, path)
	if err != nil {
		return nil, err
	}
	l.add("config-file", path, origin)
	return l, nil
}

// leadingZero finds a line such as "port: 04730".
var leadingZero = regexp.MustCompile(`(?m)^[ \t]*["']?([\w-]+)["']?[ \t]*:[ \t]+([-+]?0[0-9_]+)[ \t\r]*(?:#.*)?$`)

// readFile understands a file of the kind "yaml", "yml" or "toml".
func readFile(r io.Reader, kind, path string) (layer, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("file %s cannot be read: %w", path, err)
	}
	if m := leadingZero.FindSubmatch(data); m != nil && kind != "toml" { // TOML has no such numbers
		return nil, fmt.Errorf("%s %q (file %s) begins with a zero, which YAML takes for octal; write it without", m[1], m[2], path)
	}
	v := viper.New()
	v.SetConfigType(kind)
	if err := v.ReadConfig(bytes.NewReader(data)); err != nil {
		return nil, fmt.Errorf("file %s cannot be understood: %s", path, oneLine(err.Error()))
	}
	l := layer{}
	keys := v.AllKeys()
	slices.Sort(keys)
	for _, key := range keys {
		if lookup(key) == nil || key == "config-file" {
			return nil, fmt.Errorf("%s (file %s) is no setting of a file; gearbolt config lists them all", key, path)
		}
		text, err := plainText(v.Get(key))
		if err != nil {
			return nil, fmt.Errorf("%s (file %s) %w", key, path, err)
		}
		l.add(key, text, "file "+path)
	}
	return l, nil
}

// plainText writes what a file holds as a flag would.
func plainText(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string, bool, int, int64, uint64, float64:
		return fmt.Sprint(v), nil
	case []any:
		words := make([]string, len(v))
		for i, e := range v {
			word, err := plainText(e)
			if err != nil {
				return "", err
			}
			words[i] = word
		}
		return strings.Join(words, ","), nil
	}
	return "", errors.New("holds more than a value; give a word, a number, or a list of them")
}
