package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"gearbolt/clients"
	"gearbolt/cmd/gearbolt/internal/admin"
	"gearbolt/protocol"
)

// Exit codes. A signal's number is added to 128, as shells do.
const (
	exitOK          = 0
	exitError       = 1 // called wrongly, or anything that has no code of its own
	exitFailed      = 2
	exitException   = 3
	exitRefused     = 4
	exitUnreachable = 5
	exitLost        = 6
	exitTime        = 7
	exitDamaged     = 8
)

// exitCodes is the text for the help.
const exitCodes = `Exit codes:
  0  done; a background job: queued
  1  called wrongly, or an error that is none of these
  2  the function failed
  3  the function raised an exception
  4  the server refused: the queue is full, there is no such job, ...
  5  no server could be reached: nothing was sent
  6  the connection was lost: the job may have run
  7  there was no answer in time
  8  the store is damaged
  128 and a signal's number: ended by that signal`

// A coded is an error with an exit code of its own. Without a text the error
// has been printed.
type coded struct {
	code int
	text string
}

func (e *coded) Error() string { return e.text }

func usageError(format string, args ...any) error {
	return &coded{exitError, fmt.Sprintf(format, args...)}
}

// verdict returns the exit code for an error, and a line that says what went
// wrong and what to do. ctx is the command's.
func verdict(ctx context.Context, err error) (code int, text string) {
	var own *coded
	if errors.As(err, &own) {
		return own.code, own.text
	}
	var signal interrupt
	if i, ok := interrupted(ctx); ok && errors.Is(err, context.Canceled) || errors.As(err, &signal) {
		i.Signal = max(i.Signal, signal.Signal)
		return 128 + int(i.Signal), i.Error()
	}
	code = codeOf(err)
	return code, describe(code, err) + hint(code, err)
}

const noAnswer = "there was no answer in time"

// describe says what went wrong: what was called where, and the cause.
func describe(code int, err error) string {
	var call *clients.Error
	switch {
	case errors.As(err, &call):
	case admin.IsUnknown(err):
		return "the server does not know this command, as a Gearbolt does (" + oneLine(err.Error()) + ")"
	case code == exitTime:
		return noAnswer
	default:
		return oneLine(err.Error())
	}
	text := call.Err.Error()
	if code == exitTime {
		text = noAnswer
	}
	subject := call.Function
	if subject == "" {
		subject = call.Op
	}
	if call.Server != "" {
		subject += " at " + call.Server
	}
	if call.Handle != "" {
		subject += " (" + call.Handle + ")"
	}
	return oneLine(subject + ": " + text)
}

func codeOf(err error) int {
	var (
		exception *clients.Exception
		server    *clients.ServerError
		refusal   *admin.Refusal
		dial      *net.OpError
	)
	switch {
	case errors.Is(err, clients.ErrFailed):
		return exitFailed
	case errors.As(err, &exception):
		return exitException
	case errors.Is(err, clients.ErrLost):
		return exitLost
	case errors.As(err, &server), errors.As(err, &refusal):
		return exitRefused
	case errors.Is(err, clients.ErrNoServer), errors.As(err, &dial) && dial.Op == "dial":
		return exitUnreachable
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return exitTime
	}
	return exitError
}

// hint says what to do about an error.
func hint(code int, err error) string {
	switch {
	case errors.Is(err, clients.ErrQueueFull):
		return "; try again later" + moreRoom(err)
	case code == exitUnreachable && strings.Contains(err.Error(), string(protocol.QueueError)):
		return "; try again later, or name another server with --server or GEARBOLT_SERVERS"
	case code == exitUnreachable:
		return "; start a server there, or name another with --server or GEARBOLT_SERVERS"
	case code == exitLost:
		return "; the job may have run"
	}
	return ""
}

// moreRoom names the command that gives a full queue more room. Servers say
// which limit is reached, but for the one that gearmand has, too.
func moreRoom(err error) string {
	var refusal *clients.ServerError
	if !errors.As(err, &refusal) {
		return ""
	}
	switch limit, told := strings.CutPrefix(refusal.Text, protocol.TextQueueFull+": "); {
	case refusal.Text == protocol.TextQueueFull:
		return ", or give it more room with gearbolt maxqueue"
	case told && strings.HasPrefix(limit, "maxqueuebytes "):
		return ", or give it more room with gearbolt maxqueuebytes"
	case told:
		return "; gearbolt limits shows what is used of it"
	}
	return ""
}

// oneLine makes one line of a text.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
}
