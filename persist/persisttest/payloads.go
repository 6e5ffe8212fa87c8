package persisttest

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"gearbolt/persist"
)

func payloads() []check {
	return []check{
		{"Payload", testPayload},
		{"PayloadOfUnknown", testPayloadUnknown},
		{"PayloadIsTheCallers", testPayloadOwned},
		{"BytesAreLentUntilDone", testBytesLent},
		{"PayloadWhileCommitting", testPayloadRace},
	}
}

func testPayload(t *testing.T, open Open) {
	f := start(t, open)
	jobs := variants()
	f.keep(puts(jobs)...)
	for _, j := range jobs {
		f.wantPayload(j.ID, j.Payload)
	}
	again := job(1)
	again.Payload = []byte("another")
	f.keep(put(again))
	f.keep(attempt(again, 4))
	f.wantPayload(again.ID, again.Payload)
}

func testPayloadUnknown(t *testing.T, open Open) {
	f := start(t, open)
	f.keep(put(job(1)), put(job(2)), put(job(3)), remove(job(3)))
	f.keep(remove(job(1)), attempt(job(4), 1))
	for _, n := range []uint64{1, 3, 4} {
		if b, err := f.Payload(job(n).ID); !errors.Is(err, persist.ErrNotFound) {
			t.Errorf("Payload of job %d, which is not kept: %q, %v; want ErrNotFound", n, b, err)
		}
	}
	f.wantPayload(job(2).ID, job(2).Payload)
}

func testPayloadOwned(t *testing.T, open Open) {
	f := start(t, open)
	f.keep(put(job(1)))
	b, err := f.Payload(job(1).ID)
	if err != nil {
		t.Fatal(err)
	}
	clear(b)
	f.wantPayload(job(1).ID, job(1).Payload)
	_ = append(b, "more"...)
	f.wantPayload(job(1).ID, job(1).Payload)
}

// testBytesLent overwrites, after done, everything that a Commit pointed to.
func testBytesLent(t *testing.T, open Open) {
	f := start(t, open)
	j := job(1)
	j.Payload = bytes.Repeat([]byte("lent"), 1000)
	want := bytes.Clone(j.Payload)
	changes := []persist.Change{put(j), limit("f", 1, 1, 1)}
	f.keep(changes...)
	clear(j.Payload)
	id := j.ID
	*j, *changes[1].Limit = persist.Job{}, persist.Limit{}
	clear(changes)
	f.keep(put(job(2)))
	f.wantPayload(id, want)
}

// testPayloadRace reads payloads that stay while others come and go.
func testPayloadRace(t *testing.T, open Open) {
	f := start(t, open)
	const stay, readers, rounds = 20, 4, 200
	for n := range uint64(stay) {
		f.keep(put(job(n)))
	}
	var reading sync.WaitGroup
	for r := range readers {
		reading.Go(func() {
			for i := range rounds {
				j := job(uint64(i+r) % stay)
				if b, err := f.Payload(j.ID); err != nil || !bytes.Equal(b, j.Payload) {
					t.Errorf("Payload(%v): %q, %v", j.ID, b, err)
				}
			}
		})
	}
	for n := range uint64(rounds) {
		passing := job(stay + n)
		f.Commit([]persist.Change{put(passing)}, func(error) {})
		f.Commit([]persist.Change{remove(passing)}, func(error) {})
	}
	reading.Wait()
	f.keep()
	for n := range uint64(rounds) {
		if _, err := f.Payload(job(stay + n).ID); !errors.Is(err, persist.ErrNotFound) {
			t.Errorf("Payload of a job that has gone: %v", err)
		}
	}
}
