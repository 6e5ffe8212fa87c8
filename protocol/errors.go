package protocol

// An ErrorCode is the first argument of an ERROR packet. libgearman maps the
// code back to its own errors, so the codes matter; the texts are for people.
type ErrorCode string

// The codes that gearmand sends, and the last two, which are ours: gearmand
// waits for ever for the NUL that a packet lacks, and refuses SUBMIT_JOB_SCHED
// whatever it says.
const (
	InvalidMagic     ErrorCode = "INVALID_MAGIC"
	InvalidCommand   ErrorCode = "INVALID_COMMAND"
	ArgumentTooLarge ErrorCode = "ARGUMENT_TOO_LARGE"
	QueueError       ErrorCode = "QUEUE_ERROR"
	UnknownOption    ErrorCode = "UNKNOWN_OPTION"
	JobNotFound      ErrorCode = "JOB_NOT_FOUND"
	InvalidPacket    ErrorCode = "INVALID_PACKET"
	InvalidArgument  ErrorCode = "INVALID_ARGUMENT"
)

// Texts that gearmand sends with its codes.
const (
	TextInvalidMagic      = "Request magic expected"
	TextInvalidCommand    = "Command not expected"
	TextUniqueTooLarge    = "Unique value too large"
	TextHandleTooLarge    = "Error occurred due to GEARMAND_JOB_HANDLE_SIZE being too small from snprintf"
	TextQueueFull         = "Job queue is full"
	TextUnknownOption     = "Server does not recognize given option"
	TextNoSuchJob         = "Job does not exist on server"
	TextNoSuchResultJob   = "Job given in work result not found"
	TextNoSuchExceptedJob = "An exception was received for a job that does not exist"
)

// AppendError appends an ERROR packet. Its text has no NUL behind it.
func AppendError(dst []byte, code ErrorCode, text string) []byte {
	dst = AppendHeader(dst, Res, Error, len(code)+1+len(text))
	dst = append(dst, code...)
	dst = append(dst, 0)
	return append(dst, text...)
}
