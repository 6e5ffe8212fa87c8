package protocol

import "bytes"

// A shape is what a packet's body consists of.
type shape struct {
	name string
	args int  // NUL-separated arguments; the last reaches to the end unless data follows
	data bool // opaque bytes follow the NUL of the last argument
	from sender
}

// A sender is who may say a packet.
type sender uint8

const (
	nobody sender = iota
	peer          // a client or a worker, to the server
	server
	both
)

// MaxArgs is the largest number of arguments of any packet.
const MaxArgs = 7

// shapes is indexed by Type. A type without a name does not exist.
var shapes = [lastType + 1]shape{
	CanDo:             {"CAN_DO", 1, false, peer},
	CantDo:            {"CANT_DO", 1, false, peer},
	ResetAbilities:    {"RESET_ABILITIES", 0, false, peer},
	PreSleep:          {"PRE_SLEEP", 0, false, peer},
	5:                 {"UNUSED", 0, false, nobody},
	Noop:              {"NOOP", 0, false, server},
	SubmitJob:         {"SUBMIT_JOB", 2, true, peer},
	JobCreated:        {"JOB_CREATED", 1, false, server},
	GrabJob:           {"GRAB_JOB", 0, false, peer},
	NoJob:             {"NO_JOB", 0, false, server},
	JobAssign:         {"JOB_ASSIGN", 2, true, server},
	WorkStatus:        {"WORK_STATUS", 3, false, both},
	WorkComplete:      {"WORK_COMPLETE", 1, true, both},
	WorkFail:          {"WORK_FAIL", 1, false, both},
	GetStatus:         {"GET_STATUS", 1, false, peer},
	EchoReq:           {"ECHO_REQ", 0, true, peer},
	EchoRes:           {"ECHO_RES", 0, true, server},
	SubmitJobBG:       {"SUBMIT_JOB_BG", 2, true, peer},
	Error:             {"ERROR", 2, false, server},
	StatusRes:         {"STATUS_RES", 5, false, server},
	SubmitJobHigh:     {"SUBMIT_JOB_HIGH", 2, true, peer},
	SetClientID:       {"SET_CLIENT_ID", 1, false, peer},
	CanDoTimeout:      {"CAN_DO_TIMEOUT", 2, false, peer},
	AllYours:          {"ALL_YOURS", 0, false, peer},
	WorkException:     {"WORK_EXCEPTION", 1, true, both},
	OptionReq:         {"OPTION_REQ", 1, false, peer},
	OptionRes:         {"OPTION_RES", 1, false, server},
	WorkData:          {"WORK_DATA", 1, true, both},
	WorkWarning:       {"WORK_WARNING", 1, true, both},
	GrabJobUniq:       {"GRAB_JOB_UNIQ", 0, false, peer},
	JobAssignUniq:     {"JOB_ASSIGN_UNIQ", 3, true, server},
	SubmitJobHighBG:   {"SUBMIT_JOB_HIGH_BG", 2, true, peer},
	SubmitJobLow:      {"SUBMIT_JOB_LOW", 2, true, peer},
	SubmitJobLowBG:    {"SUBMIT_JOB_LOW_BG", 2, true, peer},
	SubmitJobSched:    {"SUBMIT_JOB_SCHED", 7, true, peer},
	SubmitJobEpoch:    {"SUBMIT_JOB_EPOCH", 3, true, peer},
	SubmitReduceJob:   {"SUBMIT_REDUCE_JOB", 4, true, peer},
	SubmitReduceJobBG: {"SUBMIT_REDUCE_JOB_BACKGROUND", 4, true, peer},
	GrabJobAll:        {"GRAB_JOB_ALL", 0, false, peer},
	JobAssignAll:      {"JOB_ASSIGN_ALL", 4, true, server},
	GetStatusUnique:   {"GET_STATUS_UNIQUE", 1, false, peer},
	StatusResUnique:   {"STATUS_RES_UNIQUE", 6, false, server},
}

// Expected reports whether a server takes packets of this type.
func (t Type) Expected() bool {
	return t <= lastType && (shapes[t].from == peer || shapes[t].from == both)
}

// Args are the parts of a packet's body. They lie in the body.
type Args struct {
	N    int // how many arguments were split off
	Arg  [MaxArgs][]byte
	Data []byte // the opaque rest, of packets that have one
}

// Split takes the body of a packet of a known type apart. It fails with
// [ErrTooFewArgs] where the body lacks a NUL, and with [ErrArgTooLarge] where
// an argument exceeds [MaxArg].
//
// Three leniences are what clients in the field need: WORK_COMPLETE, WORK_DATA,
// WORK_WARNING and WORK_EXCEPTION without the NUL behind the handle have empty
// data; WORK_STATUS may lack its denominator; SUBMIT_REDUCE_JOB* with exactly
// three NULs is PROTOCOL's form, without the aggregator that libgearman sends.
func Split(t Type, body []byte, a *Args) error {
	n, data := shapes[t].args, shapes[t].data
	switch t {
	case WorkComplete, WorkData, WorkWarning, WorkException:
		data = hasNULs(body, 1)
	case WorkStatus:
		if !hasNULs(body, 2) {
			n = 2
		}
	case SubmitReduceJob, SubmitReduceJobBG:
		if !hasNULs(body, 4) {
			n = 3
		}
	}
	return a.split(body, n, data)
}

func (a *Args) split(body []byte, n int, data bool) error {
	a.N, a.Data = n, nil
	last := n - 1 // without data, the last argument is the whole rest
	for i := range n {
		end := len(body)
		if data || i < last {
			if end = bytes.IndexByte(body, 0); end < 0 {
				return ErrTooFewArgs
			}
		}
		if a.Arg[i] = body[:end]; end > MaxArg || end == MaxArg && end < len(body) {
			return ErrArgTooLarge
		}
		body = body[min(end+1, len(body)):]
	}
	if data {
		a.Data = body
	}
	return nil
}

// hasNULs reports whether b holds at least n NUL bytes.
func hasNULs(b []byte, n int) bool {
	for ; n > 0; n-- {
		i := bytes.IndexByte(b, 0)
		if i < 0 {
			return false
		}
		b = b[i+1:]
	}
	return true
}

// CString returns b up to its first NUL byte: many clients end a handle or an
// option with one.
func CString(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}
