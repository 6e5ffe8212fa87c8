package library

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"gearbolt/clients"
	"gearbolt/integration/harness"
)

// An identity is a certificate with its key, and the files that they are in.
type identity struct {
	tls.Certificate
	cert, key string
}

// selfSigned makes an identity that vouches for itself.
func selfSigned(t *testing.T, name string) (id identity, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	id.cert = writeFile(t, filepath.Join(t.TempDir(), name+".pem"), certPEM)
	id.key = writeFile(t, filepath.Join(t.TempDir(), name+".key"), keyPEM)
	if id.Certificate, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return id, pool
}

// TLS with certificates on both sides; who has none, or trusts nobody, is not
// served and is told so.
func TestTLS(t *testing.T) {
	server, roots := selfSigned(t, "server")
	client, _ := selfSigned(t, "client")
	config := &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{client.Certificate}}
	s := harness.GearboltTLS(t, config, "--ssl", "--ssl-ca-file", client.cert, "--ssl-certificate", server.cert,
		"--ssl-key", server.key, "--ssl-require-client-certificate")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	silent := slog.New(slog.DiscardHandler)
	served := clients.Config{Servers: []string{s.Addr}, TLS: config, Logger: silent}
	newWorker(t, served, 1, "reverse", reverse)
	payload := make([]byte, 5<<20)
	if got, err := newClient(t, served).Call(ctx, "reverse", payload); err != nil || len(got) != len(payload) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	for name, refused := range map[string]clients.Config{
		"no certificate": {Servers: []string{s.Addr}, TLS: &tls.Config{RootCAs: roots}},
		"no trust":       {Servers: []string{"tls://" + s.Addr}},
		"no TLS":         {Servers: []string{s.Addr}},
	} {
		refused.Logger = silent
		if _, err := newClient(t, refused).Call(ctx, "reverse", nil); !errors.Is(err, clients.ErrNoServer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	harness.Gearbolt(t, "--listen", "unix:"+path)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	config := clients.Config{Servers: []string{"unix:" + path}}
	newWorker(t, config, 1, "reverse", reverse)
	if got, err := newClient(t, config).Call(ctx, "reverse", []byte("abc")); err != nil || string(got) != "cba" {
		t.Errorf("%q, %v", got, err)
	}
}

// One of two servers dies under a worker and a client of both.
func TestTwoServers(t *testing.T) {
	one, two := newBench(t, "gearbolt"), newBench(t, "gearmand")
	config := one.config()
	config.Servers = []string{one.server.Addr, two.server.Addr}
	newWorker(t, config, 4, "reverse", reverse)
	c := newClient(t, config)
	one.call(c, "reverse", "abc")
	for _, h := range c.Health(one.ctx) {
		if h.Err != nil {
			t.Error(h)
		}
	}
	one.server.Kill()
	for range 100 {
		if got := one.call(c, "reverse", "abc", clients.Retry(1)); got != "cba" {
			t.Error(got)
		}
	}
	config.Pick = clients.ByUnique
	spread := newClient(t, config)
	for i := range 50 {
		if got := one.call(spread, "reverse", "xyz", clients.Unique(string(rune('a'+i)))); got != "zyx" {
			t.Error(got)
		}
	}
}

// gearman(1) as a worker and as a client.
func TestCommandLineTool(t *testing.T) {
	harness.Need(t, "gearman")
	onBoth(t, func(t *testing.T, b *bench) {
		worker := exec.Command("gearman", "-h", "127.0.0.1", "-p", b.server.Port(), "-w", "-f", "upper", "--", "tr", "a-z", "A-Z")
		if err := worker.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { worker.Process.Kill(); worker.Wait() })
		c := b.client()
		for range 20 {
			if got := b.call(c, "upper", "hello"); got != "HELLO" {
				t.Errorf("%q", got)
			}
		}
		b.worker(1, "reverse", reverse)
		out, err := exec.Command("gearman", "-h", "127.0.0.1", "-p", b.server.Port(), "-f", "reverse", "abc").Output()
		if err != nil || string(out) != "cba" {
			t.Errorf("%q, %v", out, err)
		}
	})
}
