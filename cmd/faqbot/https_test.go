package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot/network"
)

// selfSigned writes a certificate for localhost and its key, and returns a pool that trusts it.
func selfSigned(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cert.pem"), certificate, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}), 0o600))
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(certificate))
	return pool
}

// With certificate files of its own the service speaks HTTPS, tells browsers to stay with it, and
// keeps its cookies to it.
func TestOwnCertificate(t *testing.T) {
	t.Parallel()
	s := newSite(t, "faqbot.db", network.ModePoll)
	pool := selfSigned(t, s.dir)
	path := filepath.Join(s.dir, "faqbot.toml")
	config, err := os.ReadFile(path)
	require.NoError(t, err)
	config = []byte(strings.Replace(string(config), "[server]", "[server]\ncertificate = \"cert.pem\"\ncertificate_key = \"key.pem\"", 1))
	config = []byte(strings.Replace(string(config), "http://"+s.addr, "https://"+s.addr, 1))
	require.NoError(t, os.WriteFile(path, config, 0o600))
	s.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	s.scheme = "https"
	s.start()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+s.addr+"/sign-in", nil)
	require.NoError(t, err)
	res, err := s.client.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Contains(t, res.Header.Get("Strict-Transport-Security"), "max-age=31536000")
	policy := res.Header.Get("Content-Security-Policy")
	require.Contains(t, policy, "script-src 'self'")
	require.NotContains(t, policy, "unsafe")
}

func TestAutomaticCertificates(t *testing.T) {
	var c config
	c.Server.Listen, c.Server.PublicURL = ":443", "https://bot.example.com"
	require.True(t, c.automatic())
	tls, err := c.certificates()
	require.NoError(t, err)
	require.Contains(t, tls.NextProtos, "acme-tls/1")
	c.Server.Listen = "127.0.0.1:8080" // a proxy is in front
	require.False(t, c.automatic())
	require.True(t, c.https())
	tls, err = c.certificates()
	require.NoError(t, err)
	require.Nil(t, tls)
}
