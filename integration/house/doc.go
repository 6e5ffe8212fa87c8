// Package house keeps the house in order: its tests fail when a package imports
// what it must not (arrows_test.go has the table of what may know what, and
// why), when the machine of package router is no longer pure, and when files or
// functions outgrow a reader's head (tidy_test.go).
package house
