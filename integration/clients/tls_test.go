package clients

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"gearbolt/integration/harness"
)

// TLS, with peers that really speak it: Perl's libraries, the openssl tool and
// Go. Debian builds gearmand and libgearman without TLS, so this is for our
// server alone.

const overTLS = "TLS"

func TestTLS(t *testing.T) {
	for _, tc := range []struct {
		name string
		run  func(t *testing.T, p pki)
	}{
		{"Perl", perlTLS},
		{"PerlWithCertificate", perlTLSWithCertificate},
		{"CertificateRequired", certificateRequired},
		{"StrangeCertificate", strangeCertificate},
		{"OpenSSL", opensslClient},
		{"Go", goTLS},
		{"PlainTextToTLS", plainTextToTLS},
	} {
		if !ours() {
			note(overTLS, tc.name, "gearmand: Debian builds it without TLS")
			continue
		}
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			record(t, overTLS, tc.name)
			tc.run(t, newPKI(t))
		})
	}
}

// launchTLS starts our server with TLS.
func launchTLS(t *testing.T, p pki, args ...string) *harness.Server {
	t.Helper()
	args = append([]string{"--ssl", "--ssl-ca-file", p.ca, "--ssl-certificate", p.server.cert, "--ssl-key", p.server.key}, args...)
	return harness.GearboltTLS(t, p.config(p.client), args...)
}

// perlRoundTrip has a Perl worker serve a Perl client over TLS.
func perlRoundTrip(t *testing.T, s *harness.Server, env ...string) {
	t.Helper()
	perl := peerNamed("Perl")
	w := perl.workerWith(t, env, s.Addr, "f=reverse")
	c := perl.clientWith(t, env, s.Addr)
	a := c.ask("run f normal none %s", hexOf(allByteValues()))
	if a.events() != reversed(allByteValues()) {
		t.Fatalf("the client saw %s\n%s", short(a.events()), c.errors.String())
	}
	w.expect("job f " + hexOf(allByteValues()[:32]))
}

func perlTLS(t *testing.T, p pki) {
	needsPerlTLS(t)
	perlRoundTrip(t, launchTLS(t, p), "GEARMAN_TLS_CA="+p.ca)
}

func perlTLSWithCertificate(t *testing.T, p pki) {
	needsPerlTLS(t)
	s := launchTLS(t, p, "--ssl-require-client-certificate")
	perlRoundTrip(t, s, "GEARMAN_TLS_CA="+p.ca, "GEARMAN_TLS_CERT="+p.client.cert, "GEARMAN_TLS_KEY="+p.client.key)
}

func certificateRequired(t *testing.T, p pki) {
	s := launchTLS(t, p, "--ssl-require-client-certificate")
	if answer, err := askTLS(s.Addr, p.config(identity{})); err == nil {
		t.Errorf("without a certificate the server says %q", answer)
	}
	if answer, err := askTLS(s.Addr, p.config(p.client)); err != nil || !strings.HasPrefix(answer, "OK ") {
		t.Errorf("with a certificate the server says %q, %v", answer, err)
	}
}

// strangeCertificate shows one that another authority has signed.
func strangeCertificate(t *testing.T, p pki) {
	s := launchTLS(t, p, "--ssl-require-client-certificate")
	config := p.config(newPKI(t).client)
	if answer, err := askTLS(s.Addr, config); err == nil {
		t.Errorf("with a strange certificate the server says %q", answer)
	}
}

func opensslClient(t *testing.T, p pki) {
	harness.Need(t, "openssl")
	s := launchTLS(t, p)
	cmd := exec.Command("openssl", "s_client", "-quiet", "-verify_return_error", "-CAfile", p.ca, "-connect", s.Addr)
	c := start(t, "openssl s_client", cmd)
	c.say("version")
	if got := c.next(); !strings.HasPrefix(got, "OK ") {
		t.Errorf("the answer to version is %q", got)
	}
}

func goTLS(t *testing.T, p pki) {
	s := launchTLS(t, p)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		config := p.config(identity{})
		config.MinVersion, config.MaxVersion = version, version
		if answer, err := askTLS(s.Addr, config); err != nil || !strings.HasPrefix(answer, "OK ") {
			t.Errorf("%s: the server says %q, %v", tls.VersionName(version), answer, err)
		}
	}
}

// plainTextToTLS has a client speak plain text to the TLS port, as Debian's
// tools do in spite of --ssl. The server closes, and serves the next one.
func plainTextToTLS(t *testing.T, p pki) {
	s := launchTLS(t, p)
	c := dial(t, s.Addr)
	if _, err := io.WriteString(c, "version\n"); err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(c); strings.Contains(string(got), "OK") {
		t.Errorf("the server answers in plain text: %q", got)
	}
	if answer, err := askTLS(s.Addr, p.config(identity{})); err != nil || !strings.HasPrefix(answer, "OK ") {
		t.Errorf("then the server says %q, %v", answer, err)
	}
}

func askTLS(addr string, config *tls.Config) (string, error) {
	c, err := tls.Dial("tcp", addr, config)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return harness.Version(c)
}

// config returns a client's settings: it trusts the test's authority, and
// shows a certificate unless it is given none.
func (p pki) config(shown identity) *tls.Config {
	pool := x509.NewCertPool()
	pem, err := os.ReadFile(p.ca)
	if err != nil || !pool.AppendCertsFromPEM(pem) {
		panic("the test's own authority cannot be read")
	}
	config := &tls.Config{RootCAs: pool}
	if shown.cert != "" {
		pair, err := tls.LoadX509KeyPair(shown.cert, shown.key)
		if err != nil {
			panic(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config
}
