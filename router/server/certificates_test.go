package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// An authority issues certificates for a test.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// validFrom lies before the virtual time of synctest, which starts in 2000.
var validFrom = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     []string{name},
		NotBefore:    validFrom,
		NotAfter:     validFrom.AddDate(100, 0, 0),
	}
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := template(name)
	tmpl.IsCA, tmpl.BasicConstraintsValid = true, true
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{certificate, key}
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// issue returns a certificate for name and its key.
func (a *authority) issue(t *testing.T, name string) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template(name), a.certificate, &private.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

// A vault is a set of TLSFiles on disk. Every write of it has a modification
// time of its own.
type vault struct {
	TLSFiles
	t      *testing.T
	writes int
}

func newVault(t *testing.T, ca *authority) *vault {
	dir := t.TempDir()
	v := &vault{t: t, TLSFiles: TLSFiles{
		CA:          filepath.Join(dir, "ca.pem"),
		Certificate: filepath.Join(dir, "server.pem"),
		Key:         filepath.Join(dir, "server.key"),
	}}
	v.write(v.CA, ca.pem())
	v.renew(ca, "first")
	return v
}

func (v *vault) write(path string, content []byte) {
	v.t.Helper()
	v.writes++
	if err := os.WriteFile(path, content, 0o600); err != nil {
		v.t.Fatal(err)
	}
	when := validFrom.Add(time.Duration(v.writes) * time.Hour)
	if err := os.Chtimes(path, when, when); err != nil {
		v.t.Fatal(err)
	}
}

func (v *vault) renew(ca *authority, name string) {
	v.t.Helper()
	certificate, key := ca.issue(v.t, name)
	v.write(v.Certificate, certificate)
	v.write(v.Key, key)
}

// handshake connects a client to a server with config and returns the name
// in the server's certificate, and the client's error. Under TLS 1.3 a
// client learns only from the first bytes that it reads whether it was let in.
func handshake(t *testing.T, config *tls.Config, client *tls.Config) (name string, err error) {
	t.Helper()
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		server := tls.Server(ours, config)
		defer ours.Close()
		if server.Handshake() == nil {
			server.Write([]byte("x"))
		}
	}()
	defer func() { theirs.Close(); <-done }()
	client.InsecureSkipVerify = true
	c := tls.Client(theirs, client)
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		return "", err
	}
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName, nil
}

func loadTLS(t *testing.T, files TLSFiles) (*Certificates, *[]error) {
	t.Helper()
	var reports []error
	c, err := LoadTLS(files, func(err error) { reports = append(reports, err) })
	if err != nil {
		t.Fatal(err)
	}
	return c, &reports
}

func wantName(t *testing.T, c *Certificates, want string) {
	t.Helper()
	if got, err := handshake(t, c.Config(), &tls.Config{}); got != want || err != nil {
		t.Errorf("handshake with %q, %v; want %q", got, err, want)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	c, _ := loadTLS(t, newVault(t, newAuthority(t, "ca")).TLSFiles)
	for version, ok := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		client := &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: version}
		if _, err := handshake(t, c.Config(), client); (err == nil) != ok {
			t.Errorf("%s: got %v", tls.VersionName(version), err)
		}
	}
}

func TestClientCertificates(t *testing.T) {
	ours, foreign := newAuthority(t, "ca"), newAuthority(t, "foreign")
	files := newVault(t, ours).TLSFiles
	for _, c := range []struct {
		name        string
		ca, require bool
		issuer      *authority
		accepted    bool
	}{
		{"none, not asked", false, false, nil, true},
		{"foreign, not asked", false, false, foreign, true},
		{"none, optional", true, false, nil, true},
		{"ours, optional", true, false, ours, true},
		{"foreign, optional", true, false, foreign, false},
		{"none, required", true, true, nil, false},
		{"ours, required", true, true, ours, true},
		{"foreign, required", true, true, foreign, false},
	} {
		files := files
		files.RequireClient = c.require
		if !c.ca {
			files.CA = ""
		}
		certificates, _ := loadTLS(t, files)
		if _, err := handshake(t, certificates.Config(), clientOf(t, c.issuer)); (err == nil) != c.accepted {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

// clientOf returns a client that shows a certificate of a, whether the
// server asks for one of a's or not.
func clientOf(t *testing.T, a *authority) *tls.Config {
	t.Helper()
	if a == nil {
		return &tls.Config{}
	}
	pair, err := tls.X509KeyPair(a.issue(t, "client"))
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }}
}

func TestNewFilesAreUsedWithoutRestart(t *testing.T) {
	ca := newAuthority(t, "ca")
	v := newVault(t, ca)
	synctest.Test(t, func(t *testing.T) {
		c, reports := loadTLS(t, v.TLSFiles)
		wantName(t, c, "first")
		v.renew(ca, "second")
		wantName(t, c, "first") // within the second
		time.Sleep(lookInterval)
		wantName(t, c, "second")
		time.Sleep(lookInterval)
		wantName(t, c, "second")
		if len(*reports) != 1 || (*reports)[0] != nil {
			t.Errorf("got reports %v, want one of success", *reports)
		}
	})
}

func TestReloadIsAtOnce(t *testing.T) {
	ca := newAuthority(t, "ca")
	v := newVault(t, ca)
	c, reports := loadTLS(t, v.TLSFiles)
	v.renew(ca, "second")
	if err := c.Reload(); err != nil {
		t.Fatal(err)
	}
	wantName(t, c, "second")
	v.write(v.Key, []byte("broken"))
	if err := c.Reload(); err == nil || !strings.Contains(err.Error(), v.Key) {
		t.Errorf("a broken key: got %v", err)
	}
	wantName(t, c, "second")
	if len(*reports) != 0 {
		t.Errorf("got reports %v", *reports)
	}
}

func TestBrokenFilesKeepTheOldCertificate(t *testing.T) {
	ca := newAuthority(t, "ca")
	v := newVault(t, ca)
	synctest.Test(t, func(t *testing.T) {
		c, reports := loadTLS(t, v.TLSFiles)
		certificate, key := ca.issue(t, "second")
		v.write(v.Certificate, certificate) // its key is still the first's
		for range 3 {
			time.Sleep(lookInterval)
			wantName(t, c, "first")
		}
		if len(*reports) != 1 || (*reports)[0] == nil {
			t.Fatalf("got reports %v, want one error", *reports)
		}
		v.write(v.Key, key)
		time.Sleep(lookInterval)
		wantName(t, c, "second")
		if err := os.Remove(v.CA); err != nil {
			t.Fatal(err)
		}
		time.Sleep(lookInterval)
		wantName(t, c, "second")
		if len(*reports) != 3 || (*reports)[1] != nil || (*reports)[2] == nil {
			t.Errorf("got reports %v, want an error, a success, an error", *reports)
		}
	})
}

func TestBadTLSFilesAreNamed(t *testing.T) {
	good := newVault(t, newAuthority(t, "ca"))
	empty := filepath.Join(t.TempDir(), "empty.pem")
	good.write(empty, nil)
	for name, c := range map[string]struct {
		change func(*TLSFiles)
		want   string
	}{
		"no certificate": {func(f *TLSFiles) { f.Certificate = "/none/c" }, "/none/c"},
		"no key":         {func(f *TLSFiles) { f.Key = "/none/k" }, "/none/k"},
		"no authorities": {func(f *TLSFiles) { f.CA = "/none/a" }, "/none/a"},
		"empty":          {func(f *TLSFiles) { f.CA = empty }, empty},
		"swapped":        {func(f *TLSFiles) { f.Key, f.Certificate = f.Certificate, f.Key }, good.Key},
		"required":       {func(f *TLSFiles) { f.CA, f.RequireClient = "", true }, "authorities"},
	} {
		files := good.TLSFiles
		c.change(&files)
		if _, err := LoadTLS(files, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want it to name %s", name, err, c.want)
		}
	}
}
