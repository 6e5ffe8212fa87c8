package judge

import (
	"strconv"
	"strings"
	"time"

	"gearbolt/persist"
	"gearbolt/protocol"
)

// A Job is a submission as it is sent. Its Token is its own alone, and its
// Payload begins with it and a "|", so that a job is known wherever it turns
// up; only to join itself is it submitted again. Submissions with one unique id may share one job on the server, which
// then has the payload of the first.
type Job struct {
	Token    string
	Type     protocol.Type // of the SUBMIT family
	Function string
	Unique   string
	Reducer  string // of SUBMIT_REDUCE_JOB*
	Payload  string
	Due      time.Time // of SUBMIT_JOB_EPOCH, to the second
	Sched    [5]string // of SUBMIT_JOB_SCHED: minute, hour, day, month, weekday
}

// TokenOf returns the token that a payload begins with.
func TokenOf(payload string) string {
	token, _, _ := strings.Cut(payload, "|")
	return token
}

// Background reports whether the job lives without its submitter.
func (j *Job) Background() bool {
	switch j.Type {
	case protocol.SubmitJob, protocol.SubmitJobHigh, protocol.SubmitJobLow, protocol.SubmitReduceJob:
		return false
	}
	return true
}

// Priority is the queue that the job waits in.
func (j *Job) Priority() persist.Priority {
	switch j.Type {
	case protocol.SubmitJobHigh, protocol.SubmitJobHighBG:
		return persist.High
	case protocol.SubmitJobLow, protocol.SubmitJobLowBG:
		return persist.Low
	}
	return persist.Normal
}

// args are the arguments of the packet that submits the job.
func (j *Job) args() []string {
	switch j.Type {
	case protocol.SubmitReduceJob, protocol.SubmitReduceJobBG:
		return []string{j.Function, j.Unique, j.Reducer, "", j.Payload}
	case protocol.SubmitJobEpoch:
		return []string{j.Function, j.Unique, strconv.FormatInt(j.Due.Unix(), 10), j.Payload}
	case protocol.SubmitJobSched:
		return append(append([]string{j.Function, j.Unique}, j.Sched[:]...), j.Payload)
	}
	return []string{j.Function, j.Unique, j.Payload}
}

// assigned are the arguments of the packet that hands the job out.
func (j *Job) assigned(by protocol.Type, handle string) []string {
	switch by {
	case protocol.JobAssign:
		return []string{handle, j.Function, j.Payload}
	case protocol.JobAssignAll:
		return []string{handle, j.Function, j.Unique, j.Reducer, j.Payload}
	}
	return []string{handle, j.Function, j.Unique, j.Payload}
}

// joins reports whether the server may take two submissions for one job.
func (j *Job) joins(k *Job) bool {
	return j.Function == k.Function && j.Unique == k.Unique && j.Unique != "" && j.Unique != "-"
}
