// Package cli runs the command line as people do: real processes against real
// servers, ours and Debian's gearmand.
package cli
