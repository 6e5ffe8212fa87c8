package device

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) { Main(m) }

func eachKind(t *testing.T, f func(*testing.T, Kind)) {
	for _, kind := range []Kind{Ext4, XFS} {
		t.Run(string(kind), func(t *testing.T) {
			Need(t, "mkfs."+string(kind))
			f(t, kind)
		})
	}
}

func record(t *testing.T, kind Kind) *Recorder {
	t.Helper()
	base, err := Format(kind, kind.Smallest())
	if err != nil {
		t.Fatal(err)
	}
	r, err := Record(base)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		base.Close()
	})
	return r
}

// TestCut syncs a file of several sectors, changes it without a sync, and looks
// at the disk as it was at every moment.
func TestCut(t *testing.T) { eachKind(t, cutEverywhere) }

const first, second = 'a', 'b'

func cutEverywhere(t *testing.T, kind Kind) {
	r := record(t, kind)
	f, err := os.Create(filepath.Join(r.Dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Write(filled(first))
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	synced := Now()
	f.WriteAt(filled(second), 0)
	f.Close()
	rec, err := r.Stop()
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[state]int)
	chance := rand.New(rand.NewPCG(1, 2))
	draws := map[Kind]int{Ext4: 10, XFS: 1}[kind] // XFS takes its time to recover
	for n := range rec.Len() + 1 {
		for range draws {
			s := stateAt(t, rec, n, chance)
			if seen[s]++; rec.Moment(n) > synced && (s == missing || s == short) {
				t.Errorf("a cut at %d of %d, after the sync: the file is %s", n, rec.Len(), s)
			}
		}
	}
	t.Logf("%d writes and flushes; the file was %v", rec.Len(), seen)
	for _, s := range []state{missing, old} {
		if seen[s] == 0 {
			t.Errorf("the file was never %s", s)
		}
	}
	if kind == Ext4 && seen[mixed] == 0 {
		t.Error("no write was torn")
	}
}

func filled(c byte) []byte {
	b := make([]byte, 8*sector)
	for i := range b {
		b[i] = c
	}
	return b
}

// A state is what a power cut made of the file.
type state string

const (
	missing state = "missing"
	short   state = "short"
	old     state = "as synced"
	mixed   state = "changed in part"
	changed state = "changed"
)

func stateAt(t *testing.T, rec *Recording, n int, chance *rand.Rand) state {
	t.Helper()
	im, err := rec.Cut(n, chance)
	if err != nil {
		t.Fatal(err)
	}
	defer im.Close()
	m, err := im.Mount()
	if err != nil {
		t.Fatalf("cut %d: %v", n, err)
	}
	defer m.Unmount()
	b, err := os.ReadFile(filepath.Join(m.Dir, "file"))
	var is [256]int
	for _, c := range b {
		is[c]++
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missing
	case err != nil:
		t.Fatal(err)
	case is[first]+is[second] < 8*sector:
		return short
	case is[second] == 0:
		return old
	case is[first] == 0:
		return changed
	}
	return mixed
}

// TestFail makes the disk fail in everything that it can fail in.
func TestFail(t *testing.T) { eachKind(t, failInAll) }

func failInAll(t *testing.T, kind Kind) {
	meta := make([]byte, 4096)
	copy(meta[8:], []byte{4, 0})
	copy(meta[16:], []byte{0xED, 0xDA, 0x0C, 0xED})
	for f := range Faults {
		r := record(t, kind)
		file, err := os.Create(filepath.Join(r.Dir, "file"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if err := file.Sync(); err != nil {
			t.Fatal(err)
		}
		r.Fail(f, 1, 1)
		file.Write(meta)
		if err := file.Sync(); !errors.Is(err, syscall.EIO) {
			t.Errorf("%s fails: Sync says %v", f, err)
		}
		if _, failed := r.Failed(); !failed {
			t.Errorf("%s: nothing has failed", f)
		}
	}
}

// TestDelay has a flush take a while.
func TestDelay(t *testing.T) {
	Need(t, "mkfs.ext4")
	r := record(t, Ext4)
	f, err := os.Create(filepath.Join(r.Dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const delay = 100 * time.Millisecond
	r.Delay(delay)
	began := time.Now()
	if err := f.Sync(); err != nil || time.Since(began) < delay {
		t.Errorf("Sync took %v: %v", time.Since(began), err)
	}
	r.Delay(0)
}
