package main

import "runtime/debug"

// version is set by the linker: -ldflags "-X main.version=1.2.3".
var version = ""

// ourVersion is version, or what the build knows about its sources.
func ourVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

// protocolVersion is what clients are told. Some libraries compare it with
// gearmand's to decide which commands a server knows.
func protocolVersion() string { return "2.0.0+gearbolt." + ourVersion() }

// versionLine is what --version prints; gearmand's has its name in front.
func versionLine(dropIn bool) string {
	if dropIn {
		return "gearmand " + protocolVersion()
	}
	return "gearbolt " + ourVersion()
}
