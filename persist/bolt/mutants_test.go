package bolt

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

var mutantsFlag = flag.Int("mutants", 1000, "damaged store files to check and to salvage")

// A mutant is a store's file that was damaged.
type mutant struct {
	what string
	at   int // the first byte that changed, or -1
	file []byte
}

// mutants makes n damaged files: first those that there are few of, and then as
// many as are asked for of those whose number is not bounded.
func mutants(tr *truth, n int, each func(mutant)) {
	random := rand.New(rand.NewPCG(7, uint64(n)))
	page := os.Getpagesize()
	size := len(tr.file)
	made := 0
	make := func(what string, at int, change func(file []byte) []byte) {
		made++
		each(mutant{what, at, change(bytes.Clone(tr.file))})
	}
	for at := 0; at < size; at += damagePage {
		make("cut off", at, func(b []byte) []byte { return b[:at] })
		make("zeroed", at, func(b []byte) []byte { clear(b[at : at+damagePage]); return b })
	}
	make("both metas", 0, func(b []byte) []byte { clear(b[:2*page]); return b })
	make("one meta", 0, func(b []byte) []byte { clear(b[:page]); return b })
	make("the other meta", page, func(b []byte) []byte { clear(b[page : 2*page]); return b })
	make("garbage", 0, func(b []byte) []byte { fillRandom(random, b); return b })
	make("text", 0, func(b []byte) []byte { return bytes.Repeat([]byte("garbage\n"), size/8) })
	for made < n {
		at := random.IntN(size/page) * page
		switch random.IntN(8) {
		case 0:
			make("noise", at, func(b []byte) []byte { fillRandom(random, b[at:at+page]); return b })
		case 1:
			from := random.IntN(size/page) * page
			make("another page", at, func(b []byte) []byte { copy(b[at:at+page], tr.file[from:from+page]); return b })
		case 2:
			make("noise in three pages", -1, func(b []byte) []byte {
				for range 3 {
					at := random.IntN(size/page) * page
					fillRandom(random, b[at:at+page])
				}
				return b
			})
		case 3, 4: // where the pages' headers and first elements are
			at += random.IntN(160)
			make("flipped", at, func(b []byte) []byte { b[at] ^= 1 << random.IntN(8); return b })
		default:
			at += random.IntN(page)
			make("flipped", at, func(b []byte) []byte { b[at] ^= 1 << random.IntN(8); return b })
		}
	}
}

func fillRandom(random *rand.Rand, b []byte) {
	for i := range b {
		b[i] = byte(random.Uint32())
	}
}

// shares is how many tests share the mutants, at the same time.
const shares = 2

// TestMutants damages a store in every way, and checks and salvages it. Neither
// ever panics or changes the file; what the check passes, opens with all that
// was in it; and salvage recovers all that lies in undamaged pages, and nothing
// that was never stored.
func TestMutants(t *testing.T) {
	tr := lived(t)
	n := *mutantsFlag
	if testing.Short() {
		n = min(n, 500)
	}
	var mu sync.Mutex
	count := map[string]int{}
	t.Run("share", func(t *testing.T) {
		for share := range shares {
			t.Run(fmt.Sprint(share), func(t *testing.T) {
				t.Parallel()
				made := 0
				mutants(tr, n, func(m mutant) {
					if made++; made%shares != share {
						return
					}
					verdict, err := m.try(t, tr)
					if err != nil {
						t.Fatalf("%s at %#x (page %d): %v", m.what, m.at, m.at/os.Getpagesize(), err)
					}
					mu.Lock()
					defer mu.Unlock()
					count[verdict]++
				})
			})
		}
	})
	t.Logf("%d pages, %d live things, %d ever: %v", len(tr.file)/os.Getpagesize(), len(tr.live), len(tr.ever), count)
	for _, verdict := range []string{"clean", "salvaged whole", "salvaged in part", "nothing to salvage"} {
		if count[verdict] == 0 {
			t.Errorf("no mutant was %s", verdict)
		}
	}
}

// try checks and salvages a mutant.
func (m *mutant) try(t *testing.T, tr *truth) (verdict string, err error) {
	dir := place(t, m.file)
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, fileName)
	defer func() {
		after, readErr := os.ReadFile(path)
		if !bytes.Equal(after, m.file) && err == nil && verdict != "clean" {
			err = fmt.Errorf("the file has changed: %v", readErr)
		}
	}()
	report, err := Check(path, nil)
	if err != nil {
		return "", fmt.Errorf("check: %w", err)
	}
	out := filepath.Join(dir, "out")
	_, salvageErr := Salvage(path, out, SalvageOptions{})
	got, loadErr := told{}, error(nil)
	if salvageErr == nil {
		if got, loadErr = contents(out); loadErr != nil {
			return "", fmt.Errorf("what was salvaged does not open: %w", loadErr)
		}
	}
	if err := tr.judge(m.file, got); err != nil {
		return "", err
	}
	switch {
	case report.Clean():
		return "clean", m.whole(dir, tr)
	case salvageErr != nil:
		return "nothing to salvage", nil
	case equal(got, tr.live):
		return "salvaged whole", nil
	}
	return "salvaged in part", nil
}

// whole checks that a store that was found clean has all that was in it.
func (m *mutant) whole(dir string, tr *truth) error {
	got, err := contents(dir)
	if err != nil {
		return fmt.Errorf("the check passed what does not open: %w", err)
	}
	if !equal(got, tr.live) {
		return fmt.Errorf("the check passed a store with %d things in it, not %d", len(got), len(tr.live))
	}
	return nil
}

// TestMutantsJudge checks that the judge of TestMutants condemns what it should:
// records whose checksums nobody looks at, records of free pages for keys that
// the tree knows, and what is not recovered at all.
func TestMutantsJudge(t *testing.T) {
	tr := lived(t)
	good := told{}
	for name, value := range tr.live {
		good[name] = value
	}
	if err := tr.judge(tr.file, good); err != nil {
		t.Fatalf("the truth is condemned: %v", err)
	}
	flipped := flippedPayload(t, tr)
	if names := tr.undamaged(flipped); len(names) == 0 {
		t.Errorf("none of %d things is outside of the damaged page", len(tr.live))
	}
	for _, bad := range []struct {
		what string
		file []byte
		got  func() told
	}{
		{"nothing recovered", flipped, func() told { return told{} }},
		{"no checksums", flipped, func() told { return credulous(t, flipped) }},
	} {
		if err := tr.judge(bad.file, bad.got()); err == nil {
			t.Errorf("%s: the judge found nothing", bad.what)
		} else {
			t.Logf("%s: %v", bad.what, err)
		}
	}
}

// flippedPayload is the file with one bit flipped in a payload of a page that is
// in use: where free pages lie is a matter of timing.
func flippedPayload(t *testing.T, tr *truth) []byte {
	t.Helper()
	flipped := bytes.Clone(tr.file)
	for at := len(flipped); ; {
		if at = bytes.LastIndex(flipped[:at], []byte("xxxxxxxxxx")); at < 0 {
			t.Fatal("no payload lies in a page that is in use")
		}
		flipped[at] ^= 1
		if len(tr.undamaged(flipped)) < len(tr.live) {
			return flipped
		}
		flipped[at] ^= 1
	}
}

// credulous recovers what a salvage would that believes every record.
func credulous(t *testing.T, file []byte) told {
	t.Helper()
	got := told{}
	p := pager{bytes.NewReader(file), int64(len(file)), int64(os.Getpagesize())}
	var d decoder
	s := scan{pager: p, skip: func(uint64) bool { return false }, tick: func(uint64) error { return nil }}
	for id := uint64(2); id < p.count(); id++ {
		for _, e := range unpacked(s.leaf(id).elements) {
			if len(e.key) != keySize || len(e.value) < 20 {
				continue
			}
			seal(e.key, e.value) // so that it is believed
			if j, err := d.job(e.key, e.value); err == nil && j.count == 0 {
				got.add(put(&j.Job))
			}
		}
	}
	return got
}
