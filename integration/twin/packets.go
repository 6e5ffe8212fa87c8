package twin

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// packetNames is a table of the test's own, so that a slip in the one of the
// server shows.
var packetNames = []string{
	1: "CAN_DO", 2: "CANT_DO", 3: "RESET_ABILITIES", 4: "PRE_SLEEP", 5: "UNUSED", 6: "NOOP",
	7: "SUBMIT_JOB", 8: "JOB_CREATED", 9: "GRAB_JOB", 10: "NO_JOB", 11: "JOB_ASSIGN",
	12: "WORK_STATUS", 13: "WORK_COMPLETE", 14: "WORK_FAIL", 15: "GET_STATUS", 16: "ECHO_REQ",
	17: "ECHO_RES", 18: "SUBMIT_JOB_BG", 19: "ERROR", 20: "STATUS_RES", 21: "SUBMIT_JOB_HIGH",
	22: "SET_CLIENT_ID", 23: "CAN_DO_TIMEOUT", 24: "ALL_YOURS", 25: "WORK_EXCEPTION",
	26: "OPTION_REQ", 27: "OPTION_RES", 28: "WORK_DATA", 29: "WORK_WARNING", 30: "GRAB_JOB_UNIQ",
	31: "JOB_ASSIGN_UNIQ", 32: "SUBMIT_JOB_HIGH_BG", 33: "SUBMIT_JOB_LOW", 34: "SUBMIT_JOB_LOW_BG",
	35: "SUBMIT_JOB_SCHED", 36: "SUBMIT_JOB_EPOCH", 37: "SUBMIT_REDUCE_JOB",
	38: "SUBMIT_REDUCE_JOB_BACKGROUND", 39: "GRAB_JOB_ALL", 40: "JOB_ASSIGN_ALL",
	41: "GET_STATUS_UNIQUE", 42: "STATUS_RES_UNIQUE",
}

const (
	requestMagic  = "\x00REQ"
	responseMagic = "\x00RES"
	headerSize    = 12
)

// packetType returns the number of a packet that is given by name, or by
// number where it has none.
func packetType(name string) (uint32, error) {
	for n, known := range packetNames {
		if name == known && n > 0 {
			return uint32(n), nil
		}
	}
	n, err := strconv.ParseUint(name, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("no packet is called %q", name)
	}
	return uint32(n), nil
}

func packetName(n uint32) string {
	if n > 0 && n < uint32(len(packetNames)) {
		return packetNames[n]
	}
	return strconv.FormatUint(uint64(n), 10)
}

// encode lays out a packet whose arguments are joined by NULs.
func encode(magic string, kind uint32, args []string) []byte {
	body := strings.Join(args, "\x00")
	b := binary.BigEndian.AppendUint32([]byte(magic), kind)
	b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
	return append(b, body...)
}
