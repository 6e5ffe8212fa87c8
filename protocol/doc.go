// Package protocol is the Gearman wire protocol: what the bytes mean.
//
// A connection carries binary packets and admin text lines, in any order; the
// first byte of each decides (NUL begins a packet). [Limits.Next] cuts the
// next [Message] off the bytes that have arrived, [Split] takes a packet's
// body apart, [Words] takes a line apart, and the Append functions write
// packets at the end of a buffer. Nothing here knows a socket, and nothing
// keeps a byte that it was given: a Message and the arguments split off it lie
// in the caller's buffer and live as long as it does.
//
// Rules are cited as in Gearman's PROTOCOL document (packet names); where the
// document is silent the rule is what gearmand 1.1.20 does.
package protocol
