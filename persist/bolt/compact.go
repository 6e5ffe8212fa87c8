package bolt

import (
	"fmt"
	"os"
	"path/filepath"
)

// A Compacted is what [Compact] has done to a file.
type Compacted struct {
	Path   string `json:"path"`
	Before int64  `json:"before"` // bytes of the file
	After  int64  `json:"after"`  // bytes of the file
	Jobs   int64  `json:"jobs"`
}

// The steps of a compaction, after each of which the process may end: what is
// under the store's name is a good store at any time.
const (
	stepFilled  = "filled"
	stepChecked = "checked"
	stepRenamed = "renamed"
)

// Compact writes the store in dir, which no server uses, anew without its free
// pages, and puts the new file in place of the old one. It refuses a damaged
// store, of which it would lose something.
//
// The new file lies beside the old one until it is on stable storage and has
// been read back; for so long both need room on the disk.
func Compact(dir string, progress Progress) (*Compacted, error) {
	return compact(dir, progress, func(string) error { return nil })
}

// compact is Compact; after each step it calls at, whose error ends it there.
func compact(dir string, progress Progress, at func(step string) error) (*Compacted, error) {
	s, err := openToRead(dir)
	if err != nil {
		return nil, err
	}
	defer s.close()
	// The name may be a link to a file on another disk: that one is replaced.
	path, err := filepath.EvalSymlinks(s.path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	c := &Compacted{Path: s.path, Before: s.size}
	temp := path + ".compact"
	defer os.Remove(temp) // unless it has another name by then
	report, err := s.rewrite(temp, false, progress, func() error { return at(stepFilled) })
	if err == nil {
		err = at(stepChecked)
	}
	if err == nil {
		err = replace(temp, path, at)
	}
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", s.path, err)
	}
	c.After, c.Jobs = report.Size, report.Jobs
	return c, nil
}

// replace puts the file temp in place of the one at path.
func replace(temp, path string, at func(step string) error) error {
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	if err := at(stepRenamed); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// openToRead opens the store in dir to make something of it, and keeps any
// server off.
func openToRead(dir string) (*stopped, error) {
	s := &stopped{path: filepath.Join(dir, fileName)}
	info, err := os.Stat(s.path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if s.lock, err = lockDir(dir); err == nil {
		// The lock may be new, and the server must be able to take it.
		own(s.lock, info, 0o600)
		err = s.open()
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// rewrite makes the file temp of all records of s, as a copy or in its place,
// calls filled, and returns what a check of the new file says. It refuses to do
// so if anything is damaged. progress is told of both checks, and of the work
// between them.
func (s *stopped) rewrite(temp string, copied bool, progress Progress, filled func() error) (*Report, error) {
	before, err := s.check(progress)
	if err != nil {
		return nil, err
	}
	if !before.Clean() {
		return nil, fmt.Errorf("damaged: %v; nothing was changed; see gearbolt store check and gearbolt store salvage", before.Damage[0])
	}
	if err := s.build(temp, copied || before.Copy, progress); err != nil {
		return nil, err
	}
	if err := filled(); err != nil {
		return nil, err
	}
	written := &stopped{path: temp}
	defer written.close()
	if err := written.open(); err != nil {
		return nil, err
	}
	after, err := written.check(progress)
	if err != nil {
		return nil, err
	}
	if !after.Clean() || after.Jobs != before.Jobs || after.Bytes != before.Bytes || after.Limits != before.Limits || after.Epoch < before.Epoch {
		return nil, fmt.Errorf("the new file is not like the old one: %d jobs of %d, %d things damaged; nothing was changed",
			after.Jobs, before.Jobs, len(after.Damage))
	}
	return after, nil
}

// build fills the file temp with all records of s.
func (s *stopped) build(temp string, copied bool, progress Progress) error {
	b, err := newBuilder(temp)
	if err != nil {
		return err
	}
	valid, _ := s.metas()
	w := newWalk(s.pager, valid[0], func(r stored) error {
		_, err := b.add(r)
		return err
	})
	w.tick = ticker(progress, int64(w.meta.pages), w.meta.pageSize, &b.jobs)
	if err = w.all(); err == nil {
		err = b.finish(copied, s.info)
	}
	if err != nil {
		b.discard()
	}
	return err
}
