package router

import "bytes"

// A job's text is its unique id, its reducer, its key if that is not its unique
// id (uniqueKey) and, unless it is onlyStored, its payload: one piece of memory.

func (j *job) unique() []byte { return j.text[:j.uniqueSize] }

func (j *job) reducer() []byte { return j.text[j.uniqueSize:][:j.reducerSize] }

// key is what the job coalesces by: see uniqueKey.
func (j *job) key() []byte {
	if j.keySize == 0 {
		return j.unique()
	}
	return j.text[j.headSize()-int(j.keySize) : j.headSize()]
}

// headSize is how much of the text comes before the payload.
func (j *job) headSize() int { return int(j.uniqueSize) + int(j.reducerSize) + int(j.keySize) }

// payload is what the worker gets; empty for a job that is onlyStored.
func (j *job) payload() []byte { return j.text[j.headSize():len(j.text):len(j.text)] }

// dropPayload keeps what the job needs beside its payload, which the store has.
func (j *job) dropPayload() {
	j.text = append([]byte(nil), j.text[:j.headSize()]...)
	j.onlyStored = true
}

// dash reports whether the job was submitted with "-" for its unique id.
func (j *job) dash() bool { return isDash(j.unique()) }

// setText copies what a job is submitted with. The unique id, the reducer and
// the key have no more than 64 bytes each.
func (m *Machine) setText(j *job, unique, reducer, payload []byte, c *claim) {
	key := c.apart()
	j.hash, j.selfNamed = c.hash, bytes.Equal(unique, payload)
	j.uniqueSize, j.reducerSize, j.keySize = uint8(len(unique)), uint8(len(reducer)), uint8(len(key))
	j.size = uint32(len(payload))
	text := m.blankText(len(unique) + len(reducer) + len(key) + len(payload))
	j.text = append(append(append(append(text, unique...), reducer...), key...), payload...)
}

// spareLimit is how many texts of jobs that are no more are kept for new ones,
// and spareText how large they are at most: what comes and goes call by call
// costs no memory. A job takes no text that is larger than what it counts for.
const (
	spareLimit = 256
	spareText  = 4096
)

// blankText returns memory for a text of n bytes.
func (m *Machine) blankText(n int) []byte {
	if n == 0 {
		return nil
	}
	if last := len(m.spareTexts) - 1; last >= 0 {
		text := m.spareTexts[last]
		m.spareTexts[last], m.spareTexts = nil, m.spareTexts[:last]
		if n <= cap(text) && cap(text) <= textMemory(n) {
			return text
		}
	}
	return make([]byte, 0, n)
}

// spendText keeps the text of a job that is no more, if nobody else can know
// it: a batch and its records know only texts of background jobs.
func (m *Machine) spendText(j *job) {
	if n := cap(j.text); !j.background && n > 0 && n <= spareText && len(m.spareTexts)+len(m.spentTexts) < spareLimit {
		m.spentTexts = append(m.spentTexts, j.text[:0])
	}
	j.text = nil
}

// reclaim has texts used again once nothing that is to be said points to them.
func (m *Machine) reclaim() {
	m.spareTexts = append(m.spareTexts, m.spentTexts...)
	clear(m.spentTexts)
	m.spentTexts = m.spentTexts[:0]
}
