package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/acme/autocert"
)

// HTTPS comes in one of three ways: from certificate files, from certificates fetched and renewed by
// itself when the public address is https and port 443 is ours, or from a proxy in front of us.

// certificates returns how to serve TLS, nil for plain HTTP.
func (c config) certificates() (*tls.Config, error) {
	switch {
	case c.Server.Certificate != "":
		pair, err := tls.LoadX509KeyPair(c.beside(c.Server.Certificate), c.beside(c.Server.CertificateKey))
		if err != nil {
			return nil, fmt.Errorf("[server] certificate: %w", err)
		}
		return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
	case c.automatic():
		u, err := url.Parse(c.Server.PublicURL)
		if err != nil {
			return nil, err
		}
		m := &autocert.Manager{Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(u.Hostname()), Cache: autocert.DirCache("faqbot-certificates")}
		t := m.TLSConfig()
		t.MinVersion = tls.VersionTLS12
		return t, nil
	}
	return nil, nil
}

// automatic reports whether certificates are fetched by ourselves: Let's Encrypt reaches us on the
// port it looks at.
func (c config) automatic() bool {
	_, port, err := net.SplitHostPort(c.Server.Listen)
	return err == nil && port == "443" && c.https() && c.Server.Certificate == ""
}

// https reports whether browsers reach us by HTTPS, by ourselves or through a proxy.
func (c config) https() bool {
	return c.Server.Certificate != "" || strings.HasPrefix(c.Server.PublicURL, "https://")
}

// beside is a path as the configuration means it: relative to the configuration's own folder.
func (c config) beside(path string) string {
	if filepath.IsAbs(path) || c.path == "" {
		return path
	}
	return filepath.Join(filepath.Dir(c.path), path)
}

// checkHTTPS checks what [server] says about it.
func (c *config) checkHTTPS() error {
	if (c.Server.Certificate == "") != (c.Server.CertificateKey == "") {
		return fmt.Errorf("certificate and certificate_key go together")
	}
	for _, p := range c.Server.TrustedProxies {
		if _, err := netip.ParsePrefix(p); err != nil {
			if _, err := netip.ParseAddr(p); err != nil {
				return fmt.Errorf("trusted_proxies: %q is not an address like 127.0.0.1 or 10.0.0.0/8", p)
			}
		}
	}
	_, err := c.certificates()
	return err
}

// strictTransport tells browsers to use nothing but HTTPS from now on.
func strictTransport(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		next.ServeHTTP(w, r)
	})
}
