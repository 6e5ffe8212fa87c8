package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"gearbolt/persist"
)

const (
	damagedJobs = 200
	damagePage  = 1 << 12 // what is damaged at a time
)

// written returns the bytes of a closed store with a bit of everything in it.
// Its last transaction counted a start only, so that nothing else is missing
// when one meta page is. It ends with the last page in use.
func written(t testing.TB) []byte {
	t.Helper()
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	fill(t, s, damagedJobs)
	big := benchJob(damagedJobs)
	big.Payload = bytes.Repeat([]byte("big"), 3_000)
	large := benchJob(damagedJobs + 1)
	large.Payload = bytes.Repeat([]byte("more"), largePayload/4+1)
	keep(t, s, put(big), put(large), persist.Change{Kind: persist.SetAttempt, ID: big.ID, Attempts: 5},
		persist.Change{Kind: persist.SetLimit, Limit: &persist.Limit{Function: "f", Max: [3]uint32{1, 2, 3}}})
	s.Close()
	open(t, Options{Dir: dir}).Close()
	b, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	used := len(bytes.TrimRight(b, "\x00")) // the file was made longer for what is to come
	return bytes.Clone(b[:(used+damagePage-1)/damagePage*damagePage])
}

// scratch is where damaged files are put: in memory if there is such a place,
// since there are many of them and a disk would be slow. What tests left there
// that were killed is removed.
var scratch = sync.OnceValue(func() string {
	const memory = "/dev/shm"
	if info, err := os.Stat(memory); err != nil || !info.IsDir() {
		return ""
	}
	left, _ := filepath.Glob(filepath.Join(memory, scratchName+"*"))
	for _, dir := range left {
		pid := 0
		fmt.Sscanf(filepath.Base(dir), scratchName+"%d-", &pid)
		if pid > 0 && unix.Kill(pid, 0) == unix.ESRCH {
			os.RemoveAll(dir)
		}
	}
	return memory
})

const scratchName = "gearbolt-test-" // and the process's number

func scratchDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(scratch(), fmt.Sprintf("%s%d-", scratchName, os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// place makes a store directory with such a file in it.
func place(t testing.TB, file []byte) string {
	t.Helper()
	dir := scratchDir(t)
	if err := os.WriteFile(filepath.Join(dir, fileName), file, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// load opens and loads the store in dir and returns all that was in it, as
// text. It closes the store.
func load(dir string) (kept []string, err error) {
	s, err := Open(Options{Dir: dir, UnsafeNoFsync: true})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	err = s.Load(func(c persist.Change) error {
		if c.Kind == persist.PutJob {
			sum := checksum(nil, c.Job.Payload)
			c.Job.Payload = nil
			kept = append(kept, fmt.Sprintf("%+v %x", *c.Job, sum))
		} else {
			kept = append(kept, fmt.Sprintf("%+v", *c.Limit))
		}
		return nil
	})
	return kept, err
}

// wantRefused checks that the store in dir is refused, with an error in which
// words stand, and left as it is.
func wantRefused(t *testing.T, dir string, words ...string) {
	t.Helper()
	path := filepath.Join(dir, fileName)
	before, _ := os.ReadFile(path)
	_, err := load(dir)
	if err == nil {
		t.Fatal("the store was opened")
	}
	for _, word := range append(words, path) {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error is %q; %q is not in it", err, word)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has several lines: %q", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the file has changed")
	}
}

func TestRefusedFiles(t *testing.T) {
	good := written(t)
	page := os.Getpagesize()
	bothMetas := bytes.Clone(good)
	clear(bothMetas[:2*page])
	for name, c := range map[string]struct {
		file  []byte
		words []string
	}{
		"empty":        {nil, []string{"empty"}},
		"both metas":   {bothMetas, []string{"damaged", "meta pages"}},
		"garbage":      {bytes.Repeat([]byte("garbage "), 10_000), []string{"damaged", "not a meta page"}},
		"a short text": {[]byte("hello"), []string{"damaged"}},
		"cut to half":  {good[:len(good)/2], []string{"damaged", "cut off"}},
	} {
		t.Run(name, func(t *testing.T) { wantRefused(t, place(t, c.file), c.words...) })
	}
	t.Run("directory", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, fileName), 0o700); err != nil {
			t.Fatal(err)
		}
		wantRefused(t, dir, "directory")
	})
}

func TestFlippedBit(t *testing.T) {
	file := written(t)
	file[bytes.Index(file, []byte("xxxx"))] ^= 1
	dir := place(t, file)
	if _, err := load(dir); !errors.Is(err, errDamaged) {
		t.Errorf("the error is %v", err)
	}
	wantRefused(t, dir, "job 1-", "checksum") // and nothing is written
}

// TestCommitWithoutLoad: what is written before the start is counted would have
// a number that is given again.
func TestCommitWithoutLoad(t *testing.T) {
	dir := scratchDir(t)
	s := opened(t, Options{Dir: dir})
	if err := commit(s, put(benchJob(1))); err == nil || !strings.Contains(err.Error(), "without Load") {
		t.Errorf("the error is %v", err)
	}
	s.Close()
	if kept, err := load(dir); err != nil || len(kept) != 0 {
		t.Errorf("kept is %v: %v", kept, err)
	}
}

// TestDamage changes the file in every way of a failing disk, page by page.
// Each time the store is refused or, where the change hit nothing in use, is
// whole: it never panics, and is never just shorter.
func TestDamage(t *testing.T) {
	good := written(t)
	want, err := load(place(t, good))
	if err != nil || len(want) != damagedJobs+2 {
		t.Fatalf("%d things in the store: %v", len(want), err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	refused, whole := 0, 0
	try := func(what string, at int, file []byte) {
		t.Helper()
		dir := place(t, file)
		got, err := load(dir)
		switch {
		case err != nil:
			refused++
			if after, err := os.ReadFile(filepath.Join(dir, fileName)); err != nil || !bytes.Equal(after, file) {
				t.Fatalf("%s at %#x: the start that was refused has changed the file: %v", what, at, err)
			}
		case slices.Equal(got, want):
			whole++
		default:
			t.Fatalf("%s at %#x: the store has %d things in it, not %d, and no error", what, at, len(got), len(want))
		}
	}
	for at := 0; at < len(good); at += damagePage {
		try("cut off", at, good[:at])
		zeroed := bytes.Clone(good)
		clear(zeroed[at : at+damagePage])
		try("zeroed", at, zeroed)
		noise := bytes.Clone(good)
		for i := range damagePage {
			noise[at+i] = byte(random.Uint32())
		}
		try("noise", at, noise)
		for range 12 {
			flipped := bytes.Clone(good)
			i := at + random.IntN(damagePage)
			flipped[i] ^= 1 << random.IntN(8)
			try("flipped", i, flipped)
		}
		for i := range 64 { // where the pages' headers and first elements are
			flipped := bytes.Clone(good)
			flipped[at+i] ^= 1 << random.IntN(8)
			try("flipped", at+i, flipped)
		}
	}
	t.Logf("%d damaged files were refused, %d were whole", refused, whole)
}

// editFile changes a store's file with bbolt itself.
func editFile(t *testing.T, dir string, f func(tx *bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(dir, fileName), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(f), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestForeignFile(t *testing.T) {
	dir := t.TempDir()
	editFile(t, dir, func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("theirs"))
		return err
	})
	wantRefused(t, dir, "not one of Gearbolt's")
}

func TestNewerFormat(t *testing.T) {
	dir := t.TempDir()
	open(t, Options{Dir: dir}).Close()
	editFile(t, dir, func(tx *bbolt.Tx) error { return putNumber(tx.Bucket(bucketMeta), keyFormat, formatVersion+1) })
	wantRefused(t, dir, "version 4", "versions 1 to 3", "newer Gearbolt")
}

// TestFromOtherBbolt opens a file with a list of free pages in it, as bbolt's
// own tools write it, and with the page size of another machine.
func TestFromOtherBbolt(t *testing.T) {
	good := place(t, written(t))
	want, err := load(good)
	if err != nil {
		t.Fatal(err)
	}
	for _, pageSize := range []int{1 << 12, 1 << 14, 1 << 16} {
		dir := t.TempDir()
		src, err := bbolt.Open(filepath.Join(good, fileName), 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		dst, err := bbolt.Open(filepath.Join(dir, fileName), 0o600, &bbolt.Options{PageSize: pageSize})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(bbolt.Compact(dst, src, 0), dst.Close(), src.Close()); err != nil {
			t.Fatal(err)
		}
		if got, err := load(dir); err != nil || !slices.Equal(got, want) {
			t.Errorf("with pages of %d bytes: %d things of %d: %v", pageSize, len(got), len(want), err)
		}
	}
}

// TestOneMetaPage destroys one of the two meta pages, of which one is enough.
func TestOneMetaPage(t *testing.T) {
	good := written(t)
	for n := range 2 {
		file := bytes.Clone(good)
		binary.NativeEndian.PutUint64(file[n*os.Getpagesize()+pageHeader:], 0)
		s := open(t, Options{Dir: place(t, file)})
		if s.Epoch() != 3 { // written has started it twice
			t.Errorf("without meta page %d, this is start %d, not 3", n, s.Epoch())
		}
		if !strings.Contains(strings.Join(s.Warnings(), ""), "meta pages") {
			t.Errorf("without meta page %d, the warnings are %q", n, s.Warnings())
		}
	}
}

// TestUnreadable opens a file that may not be read.
func TestUnreadable(t *testing.T) {
	dir := scratchDir(t)
	open(t, Options{Dir: dir}).Close()
	path := filepath.Join(dir, fileName)
	err := errors.Join(os.Chmod(path, 0), os.Chmod(filepath.Join(dir, lockName), 0o666), os.Chmod(dir, 0o777))
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // who may read everything, but for this thread
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		const nobody = 65534
		unix.Setfsuid(nobody)
		defer unix.Setfsuid(0)
	}
	if _, err := Open(Options{Dir: dir}); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), path) {
		t.Errorf("the error is %v", err)
	}
}
