package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
)

// writePIDFile writes the process's number to path, in place of what was
// there: a link, or another user's file, is removed and not followed.
func writePIDFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(pidLine())
	return errors.Join(err, f.Close())
}

// removePIDFile removes the file, unless it has become another process's.
func removePIDFile(path string) error {
	b, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(b, pidLine()) {
		return err
	}
	return os.Remove(path)
}

func pidLine() []byte { return append(strconv.AppendInt(nil, int64(os.Getpid()), 10), '\n') }
