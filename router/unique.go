package router

import (
	"bytes"
	"crypto/sha256"
	"hash/maphash"

	"gearbolt/protocol"
)

// Jobs coalesce by function and unique id, and GET_STATUS_UNIQUE finds one by
// the id alone. Both cost the same however many functions share the id.

// A claim is what a job that has a unique id, or "-" and a payload, keeps it by.
type claim struct {
	job    *job
	digest string // of a "-" job: its payload, or that one's hash; else ""
	named  bool   // the unique id is the payload

	byKey place[claim] // in uniques.claims

	// In uniques.ids is, for each unique id, the job that became known last;
	// those before it hang on it. Jobs with "-", and jobs that nobody has been
	// told of, are not there.
	known          bool
	byID           place[claim]
	younger, older *claim
}

// uniques is the claims by what they are looked up by.
type uniques struct {
	claims table[claim] // by function and key
	ids    table[claim] // by unique id
	seed   maphash.Seed
}

func newUniques() uniques {
	return uniques{
		claims: newTable(func(c *claim) *place[claim] { return &c.byKey }),
		ids:    newTable(func(c *claim) *place[claim] { return &c.byID }),
		seed:   maphash.MakeSeed(),
	}
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

// has reports whether the claim is to key.
func (c *claim) has(key []byte) bool {
	if c.digest != "" {
		return c.digest == string(key)
	}
	return bytes.Equal(c.job.unique(), key)
}

func (u *uniques) hash(key []byte) uint64 { return maphash.Bytes(u.seed, key) }

func (u *uniques) hashOf(fn *function, key []byte) uint64 { return mix(u.hash(key) ^ fn.number) }

// claim gives a new job its unique id.
func (u *uniques) claim(j *job, key []byte) {
	if len(key) == 0 {
		return
	}
	c := &claim{job: j, named: bytes.Equal(j.unique(), j.payload())}
	if j.dash() {
		c.digest = string(key)
	}
	j.claim = c
	u.claims.add(c, u.hashOf(j.fn, key))
}

// publish lets a job be found by its unique id alone.
func (u *uniques) publish(j *job) {
	c := j.claim
	if c == nil || c.known || j.dash() {
		return
	}
	c.known = true
	hash := u.hash(j.unique())
	if last := u.youngest(j.unique(), hash); last != nil {
		c.older, last.younger = last, c
		u.ids.remove(last)
	}
	u.ids.add(c, hash)
}

// youngest is the claim to a unique id that was published last.
func (u *uniques) youngest(unique []byte, hash uint64) *claim {
	for c := range u.ids.with(hash) {
		if bytes.Equal(c.job.unique(), unique) {
			return c
		}
	}
	return nil
}

// find is the job, of any function, that became known by that unique id last.
func (u *uniques) find(unique []byte) *job {
	if c := u.youngest(unique, u.hash(unique)); c != nil {
		return c.job
	}
	return nil
}

// release frees a job's unique id.
func (u *uniques) release(j *job) {
	c := j.claim
	if c == nil {
		return
	}
	j.claim = nil
	u.claims.remove(c)
	if !c.known {
		return
	}
	if c.older != nil {
		c.older.younger = c.younger
	}
	if c.younger != nil {
		c.younger.older = c.older
		return
	}
	u.ids.remove(c)
	if c.older != nil {
		u.ids.add(c.older, c.byID.hash)
	}
}

// same finds the job of fn that a submission joins. The same unique id joins;
// "-" joins a job with the same payload that was submitted with "-", or with
// that payload as its unique id. There are two to choose from, for example,
// when one had finished as the process died and the store had not been told;
// it is the younger one then.
func (u *uniques) same(fn *function, dash bool, key []byte) (found *job) {
	if fn == nil || len(key) == 0 {
		return nil
	}
	for c := range u.claims.with(u.hashOf(fn, key)) {
		j := c.job
		joins := j.fn == fn && c.has(key) && (j.dash() == dash || dash && c.named)
		if joins && (found == nil || j.id().Compare(found.id()) > 0) {
			found = j
		}
	}
	return found
}
