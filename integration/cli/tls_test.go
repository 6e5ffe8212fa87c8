package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gearbolt/integration/harness"
)

// identity makes a certificate for the loopback address that is its own
// authority, and returns the file that holds it and its key.
func identity(t *testing.T) (path string, cert *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		DNSNames:              []string{"jobs"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	path = filepath.Join(t.TempDir(), "identity.pem")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return path, cert
}

func TestTLS(t *testing.T) {
	file, cert := identity(t)
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	pair, err := tls.LoadX509KeyPair(file, file)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t, harness.GearboltTLS(t, &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}, "--ssl", "--ssl-certificate", file,
		"--ssl-key", file, "--ssl-ca-file", file, "--ssl-require-client-certificate")}
	address := "tls://" + s.server.Addr
	for _, flags := range [][]string{
		{"--server", address, "--tls-ca", file, "--tls-cert", file},
		{"--server", s.server.Addr, "--tls", "--tls-ca", file, "--tls-cert", file, "--tls-key", file, "--tls-name", "jobs"},
	} {
		for _, command := range [][]string{{"ping"}, {"status"}, {"submit", "-b", "f", "x"}} {
			if r := s.run("", append(command, flags...)...); r.code != 0 {
				t.Errorf("%v %v: %+v", command, flags, r)
			}
		}
	}
	if r := s.run("", "ping", "--server", address, "--tls-cert", file); r.code == 0 {
		t.Errorf("a certificate of nobody's was believed: %+v", r)
	}
}
