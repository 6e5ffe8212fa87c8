package conf

import "fmt"

// check looks at settings that must fit together.
func (inv *Invocation) check() error {
	s := &inv.Settings
	switch {
	case s.DataDir == "" && s.Store == "bolt":
		return fmt.Errorf("data-dir \"\" (%s) names no directory: there is neither HOME nor XDG_DATA_HOME; give --data-dir or GEARBOLT_DATA_DIR", inv.Origins["data-dir"])
	case s.StoreMaxSize > 0 && s.StoreMaxSize < 64*mib:
		return inv.unfit("store-max-size", "is too small for a store; give at least 64MiB, or 0 for no bound")
	case s.OutboxLimit < s.PacketLimit:
		return inv.unfit("outbox-limit", "is smaller than packet-limit (%s), so that the largest job would reach nobody; give at least that", formatSize(s.PacketLimit))
	case s.SecureAny() && s.SSLCertificate == "":
		return inv.unfit("ssl-certificate", "is empty, and TLS needs a certificate; give its PEM file")
	case s.SecureAny() && s.SSLKey == "":
		return inv.unfit("ssl-key", "is empty, and TLS needs the certificate's key; give its PEM file")
	case s.SSLRequireClientCertificate && s.SSLCAFile == "":
		return inv.unfit("ssl-ca-file", "is empty, and a required client certificate must be vouched for; give the authorities' PEM file")
	}
	return nil
}

// unfit says in one line why the setting's value does not do.
func (inv *Invocation) unfit(name, format string, args ...any) error {
	return fmt.Errorf("%s %q (%s) %s", name, lookup(name).value(&inv.Settings).String(), inv.Origins[name], fmt.Sprintf(format, args...))
}
