// Package library tests the Go library of package clients against real
// servers: Gearbolt, and the gearmand that it stands in for. Every test of the
// suite runs on both.
package library
