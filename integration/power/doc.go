// Package power cuts the power of a server's disk, and has the disk fail.
//
// The server, a process of our binary, works on a recorded disk (package
// device), ext4 or XFS, while peers submit jobs and do them and keep a book of
// what they are told (package judge). Then images are made of what was on the
// disk after some of its writes: what was flushed, and of the rest what chance
// lets through, in any order, torn into sectors. A server is started on each,
// and holds what the book says up to that moment: nothing that was acknowledged
// is lost, nothing came up that was not submitted, what was durably ended stays
// ended, and the store is sound.
//
//	go test ./integration/power                                    60 images, and the errors at a few places
//	go test ./integration/power -run Cut -images 1000 -seed 7      a thousand, and the seed of a run to be repeated
//	go test ./integration/power -run Error -errors 200 -timeout 2h errors at 200 places of each kind
//
// The recordings of a seed differ from run to run as the kernel writes when it
// likes; the seed fixes the load, the cuts and what gets through.
//
// Each run ends with servers that must lose jobs: one that does not sync, and
// one that is built to go on after a failed sync. If they lose none, the tests
// cannot find anything, and fail.
package power
