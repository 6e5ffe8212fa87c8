// Command table measures what is promised of Gearbolt's speed and size, each
// promise beside the gearmand that it stands in for, and prints a table of the
// ratios with their targets:
//
//	go run ./integration/table                       # all rows, 5 rounds of 3 s
//	go run ./integration/table --rows drain,flow -d 1s --rounds 3
//	go run ./integration/table -o markdown           # for a document
//	go run ./integration/table --relay               # and what a bare relay makes of them
//	go run ./integration/table --list                # what rows there are
//
// It builds our server, unless --gearbolt names one, and starts it and gearmand
// itself, on free loopback ports and in directories that it removes. Gearbolt
// runs with its durable default, gearmand with four threads and in memory, and
// where a row says so with -q libsqlite3. The load comes from "gearbolt bench",
// in a process of its own; a row's sides take turns, and another begins in each
// round. A figure is the median of the rounds.
//
// A server that ends, or a round that takes too long, leaves its row without a
// figure and is named there; the others go on. The exit code tells whether the
// table could be measured (0), not whether the targets were reached: that
// depends on the machine, and on who else uses it.
package main
