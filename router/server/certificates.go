package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// TLSFiles says where the TLS side of a listener is kept, as PEM.
type TLSFiles struct {
	CA            string // authorities that vouch for clients; "" asks no client for a certificate
	Certificate   string // the server's own, its chain behind it
	Key           string // of Certificate
	RequireClient bool   // a client without a certificate is refused; needs CA
}

// Certificates are loaded TLSFiles that follow their files: what is written
// there counts for the next handshake, and as long as it is broken, what was
// loaded before it.
type Certificates struct {
	files   TLSFiles
	changed func(error)
	current atomic.Pointer[tls.Config]

	mu     sync.Mutex // guards what follows
	stamps [3]stamp   // of the files as they were last read, with or without success
	looked time.Time  // when the files were last compared with stamps
}

// A stamp changes when its file does.
type stamp struct {
	modified time.Time
	size     int64
}

// lookInterval is how long a handshake may go by what was found before it.
const lookInterval = time.Second

// LoadTLS reads the files. When they change, and a handshake finds that they
// did, changed is called once: with nil if they are in use from now on, or
// with the error that keeps the earlier ones in use. It is called from that
// handshake's goroutine.
func LoadTLS(files TLSFiles, changed func(error)) (*Certificates, error) {
	c := &Certificates{files: files, changed: changed}
	if err := c.Reload(); err != nil {
		return nil, err
	}
	return c, nil
}

// Config returns the configuration for a listener. It stays good when the
// certificates change.
func (c *Certificates) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			c.follow()
			return c.current.Load(), nil
		},
	}
}

// Reload reads the files again, changed or not. After an error, which names
// the file, what was loaded before stays in use.
func (c *Certificates) Reload() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.load(c.files.stamps())
}

// follow reloads files that have changed. While one handshake looks, the
// others go on with what there is.
func (c *Certificates) follow() {
	if !c.mu.TryLock() {
		return
	}
	defer c.mu.Unlock()
	now := time.Now()
	if now.Sub(c.looked) < lookInterval {
		return
	}
	c.looked = now
	if stamps := c.files.stamps(); stamps != c.stamps {
		c.changed(c.load(stamps))
	}
}

// load reads the files, whose stamps were taken before, so that a change in
// between is seen the next time. A broken file is not read again until a
// stamp changes.
func (c *Certificates) load(stamps [3]stamp) error {
	c.stamps = stamps
	config, err := c.files.read()
	if err != nil {
		return err
	}
	c.current.Store(config)
	return nil
}

// stamps returns the zero stamp for a file that cannot be looked at.
func (f TLSFiles) stamps() (s [3]stamp) {
	for i, path := range []string{f.CA, f.Certificate, f.Key} {
		if info, err := os.Stat(path); err == nil {
			s[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return s
}

func (f TLSFiles) read() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(f.Certificate, f.Key)
	if err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w", f.Certificate, f.Key, err)
	}
	config := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{pair},
		// Gearman's connections live long. A session that is resumed would
		// spare a client the check against authorities that have changed.
		SessionTicketsDisabled: true,
	}
	if f.CA != "" {
		config.ClientAuth = tls.VerifyClientCertIfGiven
		if config.ClientCAs, err = readAuthorities(f.CA); err != nil {
			return nil, err
		}
	}
	if f.RequireClient {
		if f.CA == "" {
			return nil, errors.New("a required client certificate needs authorities that vouch for it")
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return config, nil
}

func readAuthorities(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("authorities: there is no certificate in %s", path)
	}
	return pool, nil
}
