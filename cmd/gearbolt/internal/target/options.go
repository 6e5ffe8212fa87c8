package target

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Options are what flags and environment say about the servers.
type Options struct {
	Servers []string // addresses, each of which may be several with commas between
	Timeout time.Duration

	Secure      bool   // speak TLS where an address does not say
	CA          string // PEM file: who signs servers' certificates; "": the system's
	Certificate string // PEM file: the client's own
	Key         string // PEM file; "": in Certificate
	ServerName  string // that the server's certificate is for; "": its host
}

// Variables are the environment variables that count where no flag does, the
// stronger first where there are two.
var (
	serverVariables = []string{"GEARBOLT_SERVERS", "GEARMAN_SERVERS"}
	caVariables     = []string{"GEARBOLT_TLS_CA"}
	certVariables   = []string{"GEARBOLT_TLS_CERT"}
	keyVariables    = []string{"GEARBOLT_TLS_KEY"}
	Variables       = slices.Concat(serverVariables, caVariables, certVariables, keyVariables)
)

// Resolve finds the servers; without any they are the one on this machine.
// getenv is os.Getenv.
func (o Options) Resolve(getenv func(string) string) (*Set, error) {
	first := func(flag string, variables []string) string {
		for _, v := range variables {
			if flag == "" {
				flag = getenv(v)
			}
		}
		return flag
	}
	o.CA = first(o.CA, caVariables)
	o.Certificate = first(o.Certificate, certVariables)
	o.Key = first(o.Key, keyVariables)
	config, err := o.config()
	if err != nil {
		return nil, err
	}
	set := &Set{Secure: o.Secure, TLS: config, Timeout: o.Timeout}
	for _, text := range split(first(strings.Join(o.Servers, ","), serverVariables)) {
		a, err := Parse(text, o.Secure)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(set.Servers, a) {
			set.Servers = append(set.Servers, a)
		}
	}
	if len(set.Servers) == 0 {
		set.Servers = []Address{{Network: "tcp", Host: "127.0.0.1:" + defaultPort, Secure: o.Secure}}
	}
	return set, nil
}

// split takes a list apart at commas and white space.
func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' })
}

// config reads the PEM files.
func (o Options) config() (*tls.Config, error) {
	if o.CA == "" && o.Certificate == "" && o.ServerName == "" {
		return nil, nil
	}
	c := &tls.Config{ServerName: o.ServerName}
	if o.CA != "" {
		pem, err := os.ReadFile(o.CA)
		if err != nil {
			return nil, fmt.Errorf("the CA's certificate cannot be read: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("there is no PEM certificate in " + o.CA)
		}
	}
	if o.Certificate != "" {
		key := o.Key
		if key == "" {
			key = o.Certificate
		}
		pair, err := tls.LoadX509KeyPair(o.Certificate, key)
		if err != nil {
			return nil, fmt.Errorf("the client's certificate cannot be used: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
