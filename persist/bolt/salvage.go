package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"gearbolt/persist"
)

// A Salvaged is what [Salvage] has recovered.
type Salvaged struct {
	In          string `json:"in"`          // the file
	Out         string `json:"out"`         // the directory
	Transaction uint64 `json:"transaction"` // the one whose tree was followed; 0: there was none

	Jobs       int64    `json:"jobs"`       // in Out
	Limits     int64    `json:"limits"`     // in Out
	Uncertain  int64    `json:"uncertain"`  // of the jobs, those that may have been done before
	Incomplete []string `json:"incomplete"` // jobs that are lost because their payload is not whole
	Damage     []Damage `json:"damage"`     // of In; what it took may be among Uncertain
}

// SalvageOptions say what Salvage takes.
type SalvageOptions struct {
	// Certain leaves out what only pages have that nothing leads to: jobs that
	// may have been done before.
	Certain bool

	Progress Progress
}

// Salvage makes a new store, in a directory out that must not exist, of what is
// left in a damaged one that no server uses. in is the directory or the file of
// that store, which is only read.
//
// What the tree of the newest transaction leads to is certain. Where pages of
// that are damaged, the keys that they had are not known, but those before and
// behind them are. Records between these are taken from the tree of the
// transaction before; and where that is damaged too, or for jobs that came
// later, from any page of the file. Such a record was stored once, as its
// checksum tells, but its job may have been done since: it is uncertain, and
// running it again is what at-least-once allows. Nothing is taken from such
// pages for keys that the tree has whole: what is missing there was deleted.
//
// With one valid meta page only, the other may have been that of a newer
// transaction, whose jobs are looked for in the same way. Without any no tree is
// known, and all records are uncertain.
func Salvage(in, out string, o SalvageOptions) (*Salvaged, error) {
	s, err := openStopped(in)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if _, err := os.Lstat(out); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = &fs.PathError{Op: "salvage to", Path: out, Err: fs.ErrExist}
		}
		return nil, fmt.Errorf("store: %w", err)
	}
	g := &salvager{options: o, in: s, Salvaged: &Salvaged{In: s.path, Out: out, Incomplete: []string{}, Damage: []Damage{}}}
	if err := g.make(filepath.Clean(out)); err != nil {
		return nil, err
	}
	return g.Salvaged, nil
}

// A salvager is a Salvage under way.
type salvager struct {
	*Salvaged
	options SalvageOptions
	in      *stopped
	out     *builder
	records int64

	newest, before *walk           // the trees; nil: there is none to follow
	checker        *checker        // of newest
	lone           bool            // newest may not be the newest: the other meta page is lost
	last           []byte          // the greatest job number that before, or a lone newest, can have missed nothing up to
	doubt          map[string]bool // keys of the jobs that are uncertain
}

// unfinishedName is what the new file is called until it is whole and on stable
// storage.
const unfinishedName = fileName + ".new"

// make makes the new directory. Until there is a good store in it, it has
// another name.
func (g *salvager) make(out string) error {
	temp := out + ".new"
	if err := clearTemp(temp); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if err := os.Mkdir(temp, 0o700); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	err := g.fill(filepath.Join(temp, unfinishedName))
	if err == nil {
		err = g.publish(temp, out)
	}
	if err != nil {
		return errors.Join(err, clearTemp(temp))
	}
	return nil
}

// clearTemp removes a directory that a salvage left. One with anything else in
// it, which may be a good store, is somebody's.
func clearTemp(temp string) error {
	for _, name := range []string{filepath.Join(temp, unfinishedName), temp} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// publish gives the file and its directory their names.
func (g *salvager) publish(temp, out string) error {
	unfinished, file := filepath.Join(temp, unfinishedName), filepath.Join(temp, fileName)
	if err := os.Rename(unfinished, file); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	err := g.publishDir(temp, out)
	if err != nil {
		os.Rename(file, unfinished) // to be removed; if it has gone to out, there is none
	}
	return err
}

func (g *salvager) publishDir(temp, out string) error {
	d, err := os.Open(temp)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer d.Close()
	if err := errors.Join(own(d, g.in.info, 0o700), d.Sync()); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if err := unix.Renameat2(unix.AT_FDCWD, temp, unix.AT_FDCWD, out, unix.RENAME_NOREPLACE); err != nil {
		return fmt.Errorf("store: %w", &os.LinkError{Op: "rename", Old: temp, New: out, Err: err})
	}
	if err := syncDir(filepath.Dir(out)); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

// fill makes the file.
func (g *salvager) fill(path string) (err error) {
	if g.out, err = newBuilder(path); err != nil {
		return fmt.Errorf("store %s: %w", path, err)
	}
	if err = g.gather(); err == nil {
		err = g.out.belongs(g.lostJob)
	}
	if err == nil {
		err = g.out.finish(true, g.in.info)
	}
	if err != nil {
		g.out.discard()
		return fmt.Errorf("store %s: %w", path, err)
	}
	g.Jobs, g.Uncertain = g.out.jobs, int64(len(g.doubt))
	return nil
}

// gather collects all records, the certain ones first.
func (g *salvager) gather() error {
	g.doubt = make(map[string]bool)
	valid, invalid := g.in.metas()
	for _, err := range invalid {
		g.Damage = append(g.Damage, Damage{What: err.Error()})
	}
	if len(valid) == 0 {
		g.in.guessPageSize()
		if err := g.scan(); err != nil {
			return err
		}
		if g.records == 0 {
			return errors.New("there is nothing of a store in it")
		}
		return nil
	}
	g.lone = len(valid) == 1
	g.newest = newWalk(g.in.pager, valid[0], g.certain)
	g.checker = newChecker(&Report{Path: g.In})
	g.checker.walk = g.newest
	g.Transaction = valid[0].txid
	if err := g.follow(g.newest); err != nil {
		return err
	}
	g.checker.strays()
	g.Damage = slices.Concat(g.Damage, g.checker.Damage, g.newest.damage)
	if g.newest.whole() && !g.lone || g.options.Certain {
		return nil
	}
	if len(valid) == 2 && valid[1].txid+1 == valid[0].txid {
		g.before = newWalk(g.in.pager, valid[1], g.older)
		if err := g.follow(g.before); err != nil {
			return err
		}
	}
	return g.scan()
}

// follow collects the records of a tree.
func (g *salvager) follow(w *walk) error {
	w.tick = ticker(g.options.Progress, int64(w.meta.pages), w.meta.pageSize, &g.records)
	if err := w.all(); err != nil {
		return err
	}
	if w.roots == [kinds]*spot{} && w.strangers > 0 {
		return errors.New("a bbolt file, but not one of Gearbolt's")
	}
	return nil
}

// scan collects what lies elsewhere.
func (g *salvager) scan() error {
	p := g.in.pager
	if g.newest != nil {
		p = g.newest.pager
	}
	if g.options.Certain {
		return errors.New("neither of its two meta pages is valid, so nothing in it is certain")
	}
	s := scan{pager: p, found: g.anywhere, skip: func(id uint64) bool {
		return g.newest != nil && g.newest.met(id) && !g.newest.suspect[id]
	}}
	s.tick = ticker(g.options.Progress, int64(p.count()), p.pageSize, &g.records)
	return s.all()
}

// certain takes a record that the newest tree leads to.
func (g *salvager) certain(r stored) error {
	if err := g.checker.record(r); err != nil {
		return err
	}
	if g.lone {
		g.reach(r)
	}
	_, err := g.take(r)
	return err
}

// reach notes how far the job numbers of a tree go. The transaction behind it
// can have brought only later ones, of the same start.
func (g *salvager) reach(r stored) {
	key := r.key
	switch {
	case r.kind == kindMeta && bytes.Equal(key, keyEpoch):
		key = appendKey(nil, persist.JobID{Epoch: r.number})
	case r.kind != kindJobs:
		return
	}
	if bytes.Compare(key, g.last) > 0 {
		g.last = bytes.Clone(key)
	}
}

// older takes a record of the tree before, if the newest may have had it.
func (g *salvager) older(r stored) error {
	g.reach(r)
	if !g.newest.mayHave(r.kind, r.key) && r.kind != kindMeta {
		return nil
	}
	return g.uncertain(r)
}

// anywhere takes a record of any page, if the trees may have had it.
func (g *salvager) anywhere(r stored) error {
	if g.newest == nil || r.kind == kindMeta || g.missing(r) {
		return g.uncertain(r)
	}
	return nil
}

// missing reports whether the newest tree may have had a record that was not
// found there. Attempts of a job only rise, so that more of them are newer.
func (g *salvager) missing(r stored) bool {
	later := r.kind == kindAttempts || r.kind != kindLimits && bytes.Compare(r.key, g.last) > 0
	switch {
	case !g.newest.mayHave(r.kind, r.key):
		return g.lone && later
	case g.before == nil:
		return true
	}
	return later || g.before.mayHave(r.kind, r.key)
}

func (g *salvager) uncertain(r stored) error {
	added, err := g.take(r)
	if added && r.kind == kindJobs {
		g.doubt[string(r.key)] = true
	}
	return err
}

func (g *salvager) take(r stored) (added bool, err error) {
	g.records++
	if added, err = g.out.add(r); added && r.kind == kindLimits {
		g.Limits++
	}
	return added, err
}

// lostJob is told of a job whose payload is not whole. It is no loss if it was
// uncertain that there was still such a job.
func (g *salvager) lostJob(j record) {
	key := string(appendKey(nil, j.ID))
	if !g.doubt[key] {
		g.Incomplete = append(g.Incomplete, fmt.Sprintf("%s of function %q", j.ID, j.Function))
	}
	delete(g.doubt, key)
}

// Whole reports whether nothing of In was damaged.
func (g *Salvaged) Whole() bool { return len(g.Damage) == 0 }
