package main

import (
	"net"
	"net/netip"
	"strings"
	"sync/atomic"

	"github.com/gin-gonic/gin"
	"github.com/sirupsen/logrus"
)

const forwardedWords = "requests come through a proxy, and [server] trusted_proxies is empty: everybody seems to be at the proxy's address, " +
	`so limits by address hit all of them together. Set it to the proxy's address, for example trusted_proxies = ["127.0.0.1"]`

// behindProxy reports whether the configuration looks like one behind a proxy that it does not name: the
// world reaches us by https, we listen on this machine alone, and have no certificate.
func (c config) behindProxy() bool {
	host, _, err := net.SplitHostPort(c.Server.Listen)
	addr, notAddress := netip.ParseAddr(host)
	loopback := host == "localhost" || notAddress == nil && addr.IsLoopback()
	return err == nil && loopback && strings.HasPrefix(c.Server.PublicURL, "https://") && c.Server.Certificate == "" && len(c.Server.TrustedProxies) == 0
}

// forwarded notices requests that a proxy passed on which nobody trusts.
type forwarded struct {
	log     logrus.FieldLogger
	trusted bool
	seen    atomic.Bool
}

// watch warns of the first such request.
func (f *forwarded) watch(c *gin.Context) {
	if !f.trusted && c.GetHeader("X-Forwarded-For") != "" && !f.seen.Load() && f.seen.CompareAndSwap(false, true) {
		f.log.Warn(forwardedWords)
	}
}

// notices are the words for /channels, once such a request has come.
func (f *forwarded) notices() []string {
	if !f.seen.Load() {
		return nil
	}
	return []string{strings.ToUpper(forwardedWords[:1]) + forwardedWords[1:] + "."}
}
