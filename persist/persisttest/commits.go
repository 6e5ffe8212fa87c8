package persisttest

import (
	"errors"
	"sync"
	"testing"

	"gearbolt/persist"
)

func commits() []check {
	return []check{
		{"NewIsEmpty", func(t *testing.T, open Open) { start(t, open) }},
		{"DoneOnceInOrder", testDoneInOrder},
		{"DoneOnceConcurrently", testDoneConcurrently},
		{"EmptyCommit", testEmptyCommit},
		{"CommitFromDone", testCommitFromDone},
		{"CommitDoesNotCallBack", testCommitDoesNotCallBack},
		{"CloseAnswersFirst", testCloseAnswers},
		{"CommitAfterClose", testCommitAfterClose},
		{"CloseTwice", testCloseTwice},
		{"EpochIsUnique", testEpochUnique},
	}
}

func testDoneInOrder(t *testing.T, open Open) {
	f := start(t, open)
	const n = 500
	order := make(chan int, 2*n)
	for i := range n {
		f.Commit([]persist.Change{put(job(uint64(i)))}, func(err error) {
			if err != nil {
				t.Errorf("commit %d: %v", i, err)
			}
			order <- i
		})
	}
	for i := range n {
		if got := wait(t, order); got != i {
			t.Fatalf("the done of commit %d was called when that of %d was due", got, i)
		}
	}
	f.Close()
	if len(order) != 0 {
		t.Fatalf("%d dones were called twice", len(order))
	}
}

// testDoneConcurrently checks, with many goroutines committing at once, that
// each one's dones are called once and in its order.
func testDoneConcurrently(t *testing.T, open Open) {
	f := start(t, open)
	const goroutines, each = 16, 100
	var mu sync.Mutex
	next := make([]int, goroutines)
	var all sync.WaitGroup
	all.Add(goroutines * each)
	for g := range goroutines {
		go func() {
			for i := range each {
				c := put(job(uint64(g*each + i)))
				f.Commit([]persist.Change{c}, func(err error) {
					mu.Lock()
					defer mu.Unlock()
					if err != nil || next[g] != i {
						t.Errorf("goroutine %d: done %d said %v when %d was due", g, i, err, next[g])
					}
					next[g]++
					all.Done()
				})
			}
		}()
	}
	done := make(chan bool, 1)
	go func() { all.Wait(); done <- true }()
	wait(t, done)
	for n := range uint64(goroutines * each) {
		f.wantPayload(job(n).ID, job(n).Payload)
	}
}

func testEmptyCommit(t *testing.T, open Open) {
	f := start(t, open)
	f.keep()
	f.keep(put(job(1)))
}

// testCommitFromDone commits from where the router will: a done.
func testCommitFromDone(t *testing.T, open Open) {
	f := start(t, open)
	answer := make(chan error, 1)
	f.Commit([]persist.Change{put(job(1))}, func(err error) {
		f.Commit([]persist.Change{put(job(2))}, func(err2 error) { answer <- errors.Join(err, err2) })
	})
	if err := wait(t, answer); err != nil {
		t.Fatal(err)
	}
	f.wantPayload(job(2).ID, job(2).Payload)
}

// testCommitDoesNotCallBack commits under a lock that done takes too: if Commit
// called it, that would be for ever.
func testCommitDoesNotCallBack(t *testing.T, open Open) {
	f := start(t, open)
	closed := func() { f.Close() }
	for _, before := range []func(){func() {}, closed} {
		before()
		var mu sync.Mutex
		answer := make(chan bool, 1)
		returned := make(chan bool, 1)
		go func() {
			mu.Lock()
			defer mu.Unlock()
			f.Commit([]persist.Change{put(job(1))}, func(error) {
				mu.Lock()
				defer mu.Unlock()
				answer <- true
			})
			returned <- true
		}()
		wait(t, returned)
		wait(t, answer)
	}
}

func testCloseAnswers(t *testing.T, open Open) {
	f := start(t, open)
	const n = 100
	answers := make(chan error, n)
	for i := range uint64(n) {
		f.Commit([]persist.Change{put(job(i))}, func(err error) { answers <- err })
	}
	if err := f.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if len(answers) != n {
		t.Fatalf("Close returned when %d of %d Commits were answered", len(answers), n)
	}
	for range n {
		if err := <-answers; err != nil {
			t.Fatalf("a Commit before Close: %v", err)
		}
	}
}

func testCommitAfterClose(t *testing.T, open Open) {
	f := start(t, open)
	f.Close()
	const n = 50
	order := make(chan int, n)
	for i := range n {
		f.Commit([]persist.Change{put(job(1))}, func(err error) {
			if !errors.Is(err, persist.ErrClosed) {
				t.Errorf("done was told %v, want ErrClosed", err)
			}
			order <- i
		})
	}
	for i := range n {
		if got := wait(t, order); got != i {
			t.Fatalf("the done of commit %d was called when that of %d was due", got, i)
		}
	}
}

func testCloseTwice(t *testing.T, open Open) {
	f := start(t, open)
	for range 2 {
		if err := f.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
}

func testEpochUnique(t *testing.T, open Open) {
	f := start(t, open)
	first := f.Epoch()
	f.Close()
	s := open(t, f.dir)
	defer s.Close()
	if second := s.Epoch(); first == 0 || second <= first {
		t.Fatalf("the epochs of two starts are %d and %d", first, second)
	}
}
