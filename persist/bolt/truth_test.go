package bolt

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"go.etcd.io/bbolt"

	"gearbolt/persist"
)

// A truth is a store's file and all that is to be known of it, as bbolt tells:
// what it has, where each of it lies, and what it ever had.
type truth struct {
	file  []byte
	live  map[string]string   // what the store has, by a name
	pages map[string][]uint64 // where that is
	ever  map[string]bool     // name and value of all that was ever stored
}

// A told is what a store has, as names and values.
type told map[string]string

func (w told) add(c persist.Change) {
	switch c.Kind {
	case persist.PutJob:
		j := *c.Job
		j.Payload, j.Attempts = nil, 0
		w["job "+j.ID.String()] = fmt.Sprintf("%+v %x", j, checksum(nil, c.Job.Payload))
		w["attempts "+j.ID.String()] = fmt.Sprint(c.Job.Attempts)
	case persist.SetAttempt:
		w["attempts "+c.ID.String()] = fmt.Sprint(c.Attempts)
	case persist.SetLimit:
		w["limit "+c.Limit.Function] = fmt.Sprint(c.Limit.Max)
	case persist.DeleteJob:
		delete(w, "job "+c.ID.String())
		delete(w, "attempts "+c.ID.String())
	}
}

// contents opens and loads the store in dir and returns what is in it.
func contents(dir string) (told, error) {
	s, err := Open(Options{Dir: dir, UnsafeNoFsync: true, MinFree: 1})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	all := told{}
	err = s.Load(func(c persist.Change) error {
		all.add(c)
		return nil
	})
	return all, err
}

// lived returns a store that has seen much: jobs that came and went, some
// retried, large ones, limits with names of every length.
func lived(t testing.TB) *truth {
	t.Helper()
	dir := t.TempDir()
	now := told{}
	tr := &truth{ever: map[string]bool{}}
	s := open(t, Options{Dir: dir})
	random := rand.New(rand.NewPCG(5, 6))
	n := uint64(0)
	for round := range 24 {
		changes := livedRound(random, round, &n, now)
		for _, c := range changes {
			now.add(c)
			one := told{}
			one.add(c)
			for name, value := range one {
				tr.ever[name+" "+value] = true
			}
		}
		keep(t, s, changes...)
	}
	s.Close()
	tr.live = now
	var err error
	if tr.file, err = os.ReadFile(filepath.Join(dir, fileName)); err != nil {
		t.Fatal(err)
	}
	tr.locate(t, dir)
	m, _, err := currentMeta(bytes.NewReader(tr.file))
	if err != nil {
		t.Fatal(err)
	}
	tr.file = tr.file[:int64(m.pages)*m.pageSize] // it was made longer for what is to come
	if got, err := contents(dir); err != nil || !equal(got, now) {
		t.Fatalf("the store has %d things, not %d: %v", len(got), len(now), err)
	}
	return tr
}

func equal(a, b told) bool {
	return len(a) == len(b) && !slices.ContainsFunc(keys(a), func(k string) bool { return a[k] != b[k] })
}

func keys[V any](m map[string]V) (all []string) {
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// livedRound is what one commit does.
func livedRound(random *rand.Rand, round int, n *uint64, now told) (changes []persist.Change) {
	for range 60 {
		*n++
		j := benchJob(*n)
		j.Unique += fmt.Sprint(random.Uint64())
		if *n%7 == 0 {
			j.Due = time.UnixMilli(int64(2e12) + int64(*n)).UTC()
		}
		if *n%11 == 0 {
			j.Reducer, j.HasReducer = "sum", true
		}
		changes = append(changes, put(j))
	}
	if round%8 == 7 {
		j := changes[3].Job
		j.Payload = make([]byte, 100_000*(round/8+1))
		for i := range j.Payload {
			j.Payload[i] = byte(random.Uint32())
		}
	}
	old := keys(now)
	random.Shuffle(len(old), func(i, k int) { old[i], old[k] = old[k], old[i] })
	for _, name := range old[:len(old)/12] {
		var id persist.JobID
		if _, err := fmt.Sscanf(name, "job %d-%d", &id.Epoch, &id.Seq); err == nil {
			changes = append(changes, persist.Change{Kind: persist.DeleteJob, ID: id})
		} else if _, err := fmt.Sscanf(name, "attempts %d-%d", &id.Epoch, &id.Seq); err == nil {
			changes = append(changes, persist.Change{Kind: persist.DeleteJob, ID: id})
		}
	}
	for i := range 10 {
		changes = append(changes, persist.Change{Kind: persist.SetAttempt, ID: changes[i].Job.ID, Attempts: uint32(round + 1)})
	}
	// Names of 15 and 19 letters make keys as long as those of jobs and parts.
	l := &persist.Limit{Function: strings.Repeat("f", 12+round%9), Max: [3]uint32{uint32(round + 1)}}
	return append(changes, persist.Change{Kind: persist.SetLimit, Limit: l})
}

// locate finds the pages that each thing lies in: those of the leaf that has
// it, and for a large payload those of its parts.
func (tr *truth) locate(t testing.TB, dir string) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(dir, fileName), 0o600, &bbolt.Options{ReadOnly: true, PreLoadFreelist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tr.pages = map[string][]uint64{}
	err = db.View(func(tx *bbolt.Tx) error {
		m, _, err := currentMeta(bytes.NewReader(tr.file))
		if err != nil {
			return err
		}
		where := pagesOf(tx, m.root, uintptr(len(tr.file)))
		at := func(name string, value []byte) { tr.pages[name] = append(tr.pages[name], where(value)...) }
		tx.Bucket(bucketLimits).ForEach(func(k, v []byte) error { at("limit "+string(k[1:]), v); return nil })
		tx.Bucket(bucketAttempts).ForEach(func(k, v []byte) error { at("attempts "+nameOf(k), v); return nil })
		tx.Bucket(bucketParts).ForEachBucket(func(k []byte) error {
			return tx.Bucket(bucketParts).Bucket(k).ForEach(func(_, v []byte) error { at("job "+nameOf(k), v); return nil })
		})
		return eachJob(tx.Bucket(bucketJobs), func(k, v []byte) error { at("job "+nameOf(k), v); return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
}

// pagesOf returns a function that tells in which pages the leaf lies that has a
// value. One that is not where the file is mapped is a copy of what a small
// bucket has, which is in the page of the root.
func pagesOf(tx *bbolt.Tx, root uint64, size uintptr) func(value []byte) []uint64 {
	base, pageSize := tx.DB().Info().Data, uintptr(tx.DB().Info().PageSize)
	return func(value []byte) (all []uint64) {
		off := uintptr(unsafe.Pointer(&value[0])) - base
		if off >= size {
			return []uint64{root}
		}
		at := uint64(off / pageSize)
		for id := uint64(0); id <= at; {
			info, err := tx.Page(int(id))
			if err != nil {
				panic(err)
			}
			next := id + uint64(info.OverflowCount) + 1
			if info.Type == "free" {
				next = id + 1
			}
			if at < next {
				for ; id < next; id++ {
					all = append(all, id)
				}
				return all
			}
			id = next
		}
		panic("a value outside of all pages")
	}
}

// undamaged returns the names of what lies in pages that are the same in file.
func (tr *truth) undamaged(file []byte) (names []string) {
	page := os.Getpagesize()
	same := func(id uint64) bool {
		from, to := int(id)*page, int(id+1)*page
		return to <= len(file) && bytes.Equal(tr.file[from:to], file[from:to])
	}
	for _, name := range keys(tr.live) {
		if !slices.ContainsFunc(tr.pages[name], func(id uint64) bool { return !same(id) }) {
			names = append(names, name)
		}
	}
	return names
}

// judge says what is wrong with what was recovered from a damaged file.
func (tr *truth) judge(file []byte, got told) error {
	for _, name := range keys(got) {
		if !tr.ever[name+" "+got[name]] {
			return fmt.Errorf("%s is %.80q, which was never stored", name, got[name])
		}
	}
	for _, name := range tr.undamaged(file) {
		want := tr.live[name]
		if strings.HasPrefix(name, "attempts ") && got["job "+name[len("attempts "):]] == "" {
			continue // the job itself was damaged
		}
		if strings.HasPrefix(name, "limit ") && got[name] != "" {
			continue // which of several was the last one, nothing tells without the tree
		}
		if got[name] != want {
			return fmt.Errorf("%s lies in undamaged pages %v and is %.80q, not %.80q", name, tr.pages[name], got[name], want)
		}
	}
	return nil
}
