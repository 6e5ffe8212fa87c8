package peers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gearbolt/integration/harness"
)

// certificate writes a key and a certificate for the loopback address, which
// vouches for itself, and returns their files and what a client needs.
func certificate(t *testing.T) (certFile, keyFile string, config *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "peers"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pemOf("CERTIFICATE", der))
	certFile, keyFile = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for file, b := range map[string][]byte{certFile: pemOf("CERTIFICATE", der), keyFile: pemOf("PRIVATE KEY", keyDER)} {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile, &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// launchTLS starts a server that speaks TLS; who behaves speaks it, too.
func launchTLS(t *testing.T, args ...string) *stage {
	t.Helper()
	cert, key, config := certificate(t)
	args = append([]string{"--store", "memory", "--ssl", "--ssl-certificate", cert, "--ssl-key", key}, args...)
	server := harness.GearboltTLS(t, config, args...)
	s := &stage{T: t, server: server, listeners: 1}
	s.dial = func() (net.Conn, error) { return tls.Dial("tcp", server.Addr, config) }
	s.warmUp()
	return s
}

// hellos are beginnings of a handshake. The last announces a record that does
// not come.
var hellos = []string{"", "\x16", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "\x16\x03\x01\x40\x00"}

const stalled = 300

// handshake is how long one may take. One that does not stall takes a good deal
// less, also beside those that do and on a machine that is busy.
var handshake = []string{"--handshake-timeout", "4s"}

// stall opens connections on which a handshake begins, and no more.
func (s *stage) stall() (all []net.Conn) {
	for i := range stalled {
		c := s.bad()
		c.Write([]byte(hellos[i%len(hellos)]))
		all = append(all, c)
	}
	return all
}

// Handshakes that stall hold up none that do not, and end.
func TestStalledHandshakes(t *testing.T) {
	s := launchTLS(t, handshake...)
	for round := range *rounds {
		s.beside(func() {
			all := s.stall()
			s.pair().end() // who comes now gets in
			for _, c := range all {
				told(c) // until it is closed
				c.Close()
			}
		})
		s.awaitCount("handshakes_failed", stalled*(round+1))
	}
	s.settles()
}

// Where nothing bounds the time of a handshake, those that stall stay.
func TestStalledHandshakesStayWithoutABound(t *testing.T) {
	t.Parallel()
	bounded, control := launchTLS(t, handshake...), launchTLS(t, "--handshake-timeout", "1h")
	bounded.stall()
	all := control.stall()
	bounded.awaitCount("handshakes_failed", stalled)
	if n := control.counted("handshakes_failed"); n != 0 {
		t.Errorf("without a bound %d handshakes failed", n)
	}
	if f := control.footprint(); f.files < control.before.files+stalled {
		t.Errorf("without a bound there are %v, before there were %v", f, control.before)
	}
	for _, c := range all {
		c.Close()
	}
}
