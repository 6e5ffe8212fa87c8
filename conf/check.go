package conf

import (
	"errors"
	"fmt"
)

// check looks at settings that must fit together.
func (inv *Invocation) check() error {
	s := &inv.Settings
	switch {
	case s.DataDir == "" && s.Store == "bolt" && inv.Origins["data-dir"] != "default":
		return inv.Fault("data-dir", errors.New("names no directory; give one, or leave the setting out for the default"))
	case s.DataDir == "" && s.Store == "bolt":
		return inv.Fault("data-dir", errors.New("names no directory: there is neither HOME nor XDG_DATA_HOME; give --data-dir or GEARBOLT_DATA_DIR"))
	case s.StoreMaxSize > 0 && s.StoreMaxSize < 64*mib:
		return inv.Fault("store-max-size", errors.New("is too small for a store; give at least 64MiB, or 0 for no bound"))
	case s.OutboxLimit < s.PacketLimit:
		return inv.Fault("outbox-limit", fmt.Errorf("is smaller than packet-limit (%s), so that the largest job would reach nobody; give at least that", formatSize(s.PacketLimit)))
	case s.SecureAny() && s.SSLCertificate == "":
		return inv.Fault("ssl-certificate", errors.New("is empty, and TLS needs a certificate; give its PEM file"))
	case s.SecureAny() && s.SSLKey == "":
		return inv.Fault("ssl-key", errors.New("is empty, and TLS needs the certificate's key; give its PEM file"))
	case s.SSLRequireClientCertificate && s.SSLCAFile == "":
		return inv.Fault("ssl-ca-file", errors.New("is empty, and a required client certificate must be vouched for; give the authorities' PEM file"))
	}
	return inv.checkMemory()
}

// leastMemory is what a server can do with.
const leastMemory = 64 * mib

func (inv *Invocation) checkMemory() error {
	s := &inv.Settings
	switch {
	case s.MemoryLimit > 0 && s.MemoryLimit < leastMemory:
		return inv.Fault("memory-limit", errors.New("is too little for a server; give at least 64MiB, or 0 for what the environment allows"))
	case s.OutboxMemory > 0 && s.OutboxMemory < s.PacketLimit:
		return inv.Fault("outbox-memory", fmt.Errorf("is smaller than packet-limit (%s), so that the largest job would reach nobody; give at least that", formatSize(s.PacketLimit)))
	case s.ReadMemory > 0 && s.ReadMemory < s.PacketLimit:
		return inv.Fault("read-memory", fmt.Errorf("is smaller than packet-limit (%s), so that the largest packet would never arrive; give at least that", formatSize(s.PacketLimit)))
	}
	return nil
}

// Fault puts the setting's name, value and origin in front of why, which says
// what is wrong with it.
func (inv *Invocation) Fault(name string, why error) error {
	return fmt.Errorf("%s %q (%s) %w", name, inv.text(name), inv.Origins[name], why)
}

// Changed returns the names of the settings whose values differ between inv
// and other.
func (inv *Invocation) Changed(other *Invocation) (names []string) {
	for i := range table {
		if name := table[i].name; inv.text(name) != other.text(name) {
			names = append(names, name)
		}
	}
	return names
}

// Adopt gives inv the values, and where they come from, that other has for the
// settings of these names.
func (inv *Invocation) Adopt(other *Invocation, names ...string) {
	for _, name := range names {
		if err := lookup(name).value(&inv.Settings).Set(other.text(name)); err != nil {
			panic(err) // a value takes what it says of itself
		}
		inv.Origins[name] = other.Origins[name]
	}
}

func (inv *Invocation) text(name string) string { return lookup(name).value(&inv.Settings).String() }
