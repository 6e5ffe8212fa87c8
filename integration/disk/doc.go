// Package disk holds a running server to what it promises when its disk is
// full, slow, or taken away under it.
//
//	go test ./integration/disk                                          three cycles of a full disk, held for a moment
//	go test ./integration/disk -run Full -cycles 20 -hold 60s -timeout 3h   twenty, held for a minute
//	go test ./integration/disk -run Slow -stall 5m -timeout 1h           a slow disk for longer
//
// Disks are made by package device: the tests need root and loop devices. Disks
// that are full by a quota are played by strace, which lets every write to the
// store fail with EDQUOT: not every kernel has quotas.
package disk
