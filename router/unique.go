package router

import (
	"bytes"
	"crypto/sha256"
	"hash/maphash"

	"gearbolt/protocol"
)

// Jobs coalesce by function and unique id, and GET_STATUS_UNIQUE finds one by
// the id alone. Both cost the same however many functions share the id.

// A claim is what a submission that has a unique id, or "-" and a payload, asks
// for. Its bytes are the submission's.
type claim struct {
	key  []byte // what jobs of one function coalesce by; empty: the job never does
	hash uint32 // of key
	dash bool   // the unique id is "-"
}

// apart is the part of a job's text that is its key alone.
func (c *claim) apart() []byte {
	if c.dash {
		return c.key
	}
	return nil
}

// uniques is the jobs that have a claim by what they are looked up by.
type uniques struct {
	jobs  *jobs
	byKey index[job] // by function and key

	// For each unique id, the job that became known last; those before it hang
	// on it. Jobs with "-", and jobs that nobody has been told of, are not here.
	byID index[job]

	seed maphash.Seed
}

func newUniques(jobs *jobs) uniques { return uniques{jobs: jobs, seed: maphash.MakeSeed()} }

// claimOf is what a submission claims.
func (u *uniques) claimOf(unique, payload []byte) claim {
	key := uniqueKey(unique, payload)
	return claim{key, u.hash(key), isDash(unique)}
}

// uniqueKey is what jobs of one function coalesce by: the unique id, or the
// payload where the id is "-"; empty for a job that never coalesces. A long
// payload stands for itself by its hash, behind a NUL that no unique id has.
func uniqueKey(unique, payload []byte) []byte {
	switch {
	case !isDash(unique):
		return unique
	case len(payload) <= protocol.MaxUnique && bytes.IndexByte(payload, 0) < 0:
		return payload
	}
	sum := sha256.Sum256(payload)
	return append([]byte{0}, sum[:]...)
}

// isDash reports whether a unique id stands for the payload.
func isDash(unique []byte) bool { return string(unique) == "-" }

func (u *uniques) hash(key []byte) uint32 { return uint32(maphash.Bytes(u.seed, key)) }

// hashIn is the hash of a key of one function.
func hashIn(fn seat, hash uint32) uint32 { return uint32(mix(uint64(fn)<<32 | uint64(hash))) }

// claims reports whether the job has a claim.
func (j *job) claims() bool { return j.uniqueSize > 0 && (j.keySize > 0 || !j.dash()) }

// named reports whether the job can be found by its unique id alone, once it is
// known.
func (j *job) named() bool { return j.uniqueSize > 0 && !j.dash() }

// claim gives a new job its unique id.
func (u *uniques) claim(j *job) {
	if j.claims() {
		u.byKey.add(hashIn(j.fn, j.hash), j.ref)
	}
}

// publish lets a job be found by its unique id alone.
func (u *uniques) publish(j *job) {
	if !j.named() {
		return
	}
	last := u.youngest(j.unique(), j.hash)
	if last == nil {
		u.byID.add(j.hash, j.ref)
		return
	}
	j.older, last.younger = last.ref, j.ref
	u.byID.replace(j.hash, last.ref, j.ref)
}

// youngest is the job with a unique id that was published last, or nil.
func (u *uniques) youngest(unique []byte, hash uint32) *job {
	found := u.byID.with(hash)
	for ref := found.one(); ref != 0; ref = found.one() {
		if j := u.jobs.at(ref); bytes.Equal(j.unique(), unique) {
			return j
		}
	}
	return nil
}

// find is the job, of any function, that became known by that unique id last,
// or nil.
func (u *uniques) find(unique []byte) *job { return u.youngest(unique, u.hash(unique)) }

// release frees a job's unique id. A job that is still pending was never
// published.
func (u *uniques) release(j *job) {
	if j.claims() {
		u.byKey.remove(hashIn(j.fn, j.hash), j.ref)
	}
	if j.named() && j.state != pending {
		u.withdraw(j)
	}
}

// withdraw undoes publish.
func (u *uniques) withdraw(j *job) {
	if j.older != 0 {
		u.jobs.at(j.older).younger = j.younger
	}
	switch {
	case j.younger != 0:
		u.jobs.at(j.younger).older = j.older
	case j.older != 0:
		u.byID.replace(j.hash, j.ref, j.older)
	default:
		u.byID.remove(j.hash, j.ref)
	}
}

// same finds the job of fn that a submission joins. The same unique id joins;
// "-" joins a job with the same payload that was submitted with "-", or with
// that payload as its unique id. There are two to choose from, for example,
// when one had finished as the process died and the store had not been told;
// it is the younger one then.
func (u *uniques) same(fn *function, c *claim) (found *job) {
	if fn == nil || len(c.key) == 0 {
		return nil
	}
	all := u.byKey.with(hashIn(fn.seat, c.hash))
	for ref := all.one(); ref != 0; ref = all.one() {
		j := u.jobs.at(ref)
		joins := j.fn == fn.seat && bytes.Equal(j.key(), c.key) && (j.dash() == c.dash || c.dash && j.selfNamed)
		if joins && (found == nil || u.jobs.id(j).Compare(u.jobs.id(found)) > 0) {
			found = j
		}
	}
	return found
}
