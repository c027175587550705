// Package publicnet connects to hosts of the internet at large and to nothing else, for addresses that
// strangers can influence. It checks the very IP address that it connects to, so a name that leads elsewhere when
// it is asked again gains nothing, and so does a name that only looks like one ("0x7f.1"). It makes no requests.
package publicnet

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

// ErrPrivate means that the name of a host leads into a private network.
var ErrPrivate = errors.New("the host has a private address")

// connectTimeout bounds one connection attempt.
const connectTimeout = 5 * time.Second

// A Dialer connects to public addresses. The zero value is ready for use.
type Dialer struct {
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)         // the system's resolver if nil
	Connect func(ctx context.Context, network, address string) (net.Conn, error) // to an IP address and port; a net.Dialer's if nil
	Trusted func(host, port string) bool                                         // the operator's own hosts, private or not; nil means none
}

// DialContext resolves a name, and connects to the first of its addresses that is public. It is what an
// http.Transport wants. The error is ErrPrivate if there is none.
func (d Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	connect := d.Connect
	if connect == nil {
		connect = (&net.Dialer{Timeout: connectTimeout}).DialContext
	}
	if d.Trusted != nil && d.Trusted(host, port) {
		return connect(ctx, network, address)
	}
	ips, err := d.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	err = ErrPrivate
	for _, ip := range ips {
		if ip = ip.Unmap(); !IsPublic(ip) {
			continue
		}
		var conn net.Conn
		if conn, err = connect(ctx, network, net.JoinHostPort(ip.String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

func (d Dialer) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	if d.Resolve != nil {
		return d.Resolve(ctx, host)
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// IsPublic reports whether ip is an address of the internet at large: none of those that
// https://www.iana.org/assignments/iana-ipv4-special-registry and its IPv6 sibling keep for other uses,
// nor one that holds such an IPv4 address in it.
func IsPublic(ip netip.Addr) bool {
	if ip = ip.Unmap(); !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.Zone() != "" {
		return false
	}
	if ip.Is6() && !netip.MustParsePrefix("2000::/3").Contains(ip) {
		return false // all that is given out lies there; outside are NAT64, and IPv4 addresses in older forms
	}
	for _, kept := range []string{"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"} {
		if netip.MustParsePrefix(kept).Contains(ip) {
			return false
		}
	}
	return true
}
