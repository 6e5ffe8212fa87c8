// Package device makes block devices for tests: small disks, and disks that
// write down what reaches them, so that their contents after a power cut at any
// moment can be put together.
//
// A recorded disk is one file of a FUSE file system, with a loop device over
// it. What the file system on the loop device writes arrives as a write of
// FUSE, and a flush of the device's cache as an fsync. Both are kept, in their
// order; and either can be made to fail, or a flush to take long.
//
// The FUSE file system is served by a process of its own: a process that waits
// in the kernel for a file system which it serves itself waits for ever. And
// everything is mounted in a mount namespace that only the test process and its
// children are in. However they end, the kernel removes the mounts with the
// last of them and then the loop devices; nothing is left to clean but empty
// directories, which the next run removes.
//
// A test package that uses disks calls [Main] from its TestMain, and [Need]
// from its tests.
package device
