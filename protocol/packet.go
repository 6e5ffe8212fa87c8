package protocol

import (
	"encoding/binary"
	"strconv"
)

// HeaderSize is the length of a packet's header: magic, type, body length.
const HeaderSize = 12

// A Magic tells what a [Message] is.
type Magic uint32

const (
	Text Magic = 0          // an admin line, not a packet
	Req  Magic = 0x00524551 // "\0REQ": from a client or a worker
	Res  Magic = 0x00524553 // "\0RES": from the server
)

// A Type is a packet's number.
type Type uint32

// All packet types. 5 is not used.
const (
	CanDo             Type = 1
	CantDo            Type = 2
	ResetAbilities    Type = 3
	PreSleep          Type = 4
	Noop              Type = 6
	SubmitJob         Type = 7
	JobCreated        Type = 8
	GrabJob           Type = 9
	NoJob             Type = 10
	JobAssign         Type = 11
	WorkStatus        Type = 12
	WorkComplete      Type = 13
	WorkFail          Type = 14
	GetStatus         Type = 15
	EchoReq           Type = 16
	EchoRes           Type = 17
	SubmitJobBG       Type = 18
	Error             Type = 19
	StatusRes         Type = 20
	SubmitJobHigh     Type = 21
	SetClientID       Type = 22
	CanDoTimeout      Type = 23
	AllYours          Type = 24
	WorkException     Type = 25
	OptionReq         Type = 26
	OptionRes         Type = 27
	WorkData          Type = 28
	WorkWarning       Type = 29
	GrabJobUniq       Type = 30
	JobAssignUniq     Type = 31
	SubmitJobHighBG   Type = 32
	SubmitJobLow      Type = 33
	SubmitJobLowBG    Type = 34
	SubmitJobSched    Type = 35
	SubmitJobEpoch    Type = 36
	SubmitReduceJob   Type = 37
	SubmitReduceJobBG Type = 38
	GrabJobAll        Type = 39
	JobAssignAll      Type = 40
	GetStatusUnique   Type = 41
	StatusResUnique   Type = 42

	lastType = StatusResUnique
)

// A Message is one packet or one admin line.
type Message struct {
	Magic Magic
	Type  Type   // of a packet; 0 for Text
	Body  []byte // a packet's body, or a line without its LF or CR LF; lies in the caller's buffer
}

// String returns the packet's name as in the PROTOCOL document.
func (t Type) String() string {
	if int(t) < len(shapes) && shapes[t].name != "" {
		return shapes[t].name
	}
	return "PACKET_" + strconv.FormatUint(uint64(t), 10)
}

// AppendHeader appends a packet's header; size is the length of its body.
func AppendHeader(dst []byte, magic Magic, t Type, size int) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(magic))
	dst = binary.BigEndian.AppendUint32(dst, uint32(t))
	return binary.BigEndian.AppendUint32(dst, uint32(size))
}

// Append appends a packet whose body is args joined by NUL bytes. For a packet
// that ends in opaque data, the data is the last of args.
func Append(dst []byte, magic Magic, t Type, args ...[]byte) []byte {
	size := max(len(args)-1, 0)
	for _, a := range args {
		size += len(a)
	}
	dst = AppendHeader(dst, magic, t, size)
	for i, a := range args {
		if i > 0 {
			dst = append(dst, 0)
		}
		dst = append(dst, a...)
	}
	return dst
}

// FinishPacket writes into the header that begins at dst[start] how long the
// body turned out to be, which is all behind it.
func FinishPacket(dst []byte, start int) []byte {
	return SetBodySize(dst, start, len(dst)-start-HeaderSize)
}

// SetBodySize writes the body's length into the header that begins at
// dst[start], for a body that is not all in dst.
func SetBodySize(dst []byte, start, size int) []byte {
	binary.BigEndian.PutUint32(dst[start+8:], uint32(size))
	return dst
}
