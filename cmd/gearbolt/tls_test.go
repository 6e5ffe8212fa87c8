package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// writeCertificate makes a certificate for name and its key, in one file.
func writeCertificate(t *testing.T, path, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// askTLS asks for the version over TLS and returns the answer and the name in
// the server's certificate.
func askTLS(addr string) (answer, name string, err error) {
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return "", "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	fmt.Fprint(c, "version\n")
	answer, err = bufio.NewReader(c).ReadString('\n')
	return answer, c.ConnectionState().PeerCertificates[0].Subject.CommonName, err
}

func TestTLSBesidePlain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "server.pem")
	writeCertificate(t, file, "first")
	secure := freeAddress(t)
	p := begin(t, "--listen", "tls://"+secure, "--ssl-certificate", file, "--ssl-key", file)
	if answer, name, err := askTLS(secure); !strings.HasPrefix(answer, "OK ") || name != "first" || err != nil {
		t.Fatalf("over TLS: got %q from %q, %v", answer, name, err)
	}
	if answer := ask(secure, "version"); answer != "" {
		t.Errorf("plain words on the TLS port were answered with %q", answer)
	}
	if _, _, err := askTLS(p.addr); err == nil {
		t.Error("TLS on the plain port was answered")
	}
	if !strings.Contains(p.logged(), `"tls://`+secure+`"`) {
		t.Errorf("the log does not say where TLS is spoken:\n%s", p.logged())
	}

	p.signal(syscall.SIGHUP)
	p.await("the reload", func() bool { return strings.Contains(p.logged(), `"reloaded"`) })
	if strings.Contains(p.logged(), "new certificates") {
		t.Errorf("the old certificates are called new:\n%s", p.logged())
	}

	writeCertificate(t, file, "second")
	p.signal(syscall.SIGHUP)
	p.await("the new certificate", func() bool { _, name, _ := askTLS(secure); return name == "second" })
	p.await("the note", func() bool { return strings.Contains(p.logged(), "new certificates are in use") })
}
