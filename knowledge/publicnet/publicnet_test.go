package publicnet

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What leads into a private network is not connected to, however it is written and by whatever name.
func TestDialStaysOutside(t *testing.T) {
	var dialed []string
	names := map[string]string{}
	d := Dialer{
		Resolve: func(_ context.Context, host string) (list []netip.Addr, err error) {
			for _, ip := range strings.Fields(names[host]) {
				list = append(list, netip.MustParseAddr(ip))
			}
			return list, nil
		},
		Connect: func(_ context.Context, _, address string) (net.Conn, error) {
			dialed = append(dialed, address)
			return nil, errors.New("connected")
		},
		Trusted: func(host, port string) bool { return host == "wiki.internal" && port == "8080" },
	}
	for _, ip := range []string{
		"127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1",
		"192.0.0.1", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
		"::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "2001:db8::1", "100::1", "3fff::1",
	} {
		_, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(ip, "80"))
		require.ErrorIs(t, err, ErrPrivate, ip)
		names["a.example"] = ip
		_, err = d.DialContext(t.Context(), "tcp", "a.example:80")
		require.ErrorIs(t, err, ErrPrivate, ip)
	}
	for _, odd := range []string{"0x7f.1", "2130706433", "0177.0.0.1", "127.1", "localhost", "localhost."} { // the system takes these for loopback
		names[odd] = "127.0.0.1"
		_, err := d.DialContext(t.Context(), "tcp", odd+":80")
		require.ErrorIs(t, err, ErrPrivate, odd)
	}
	_, err := d.DialContext(t.Context(), "tcp", "wiki.internal:22")
	require.ErrorIs(t, err, ErrPrivate)
	require.Empty(t, dialed)

	names["b.example"] = "10.0.0.1 9.9.9.9 2620:fe::fe"
	_, err = d.DialContext(t.Context(), "tcp", "b.example:443")
	require.ErrorContains(t, err, "connected")
	_, err = d.DialContext(t.Context(), "tcp", "wiki.internal:8080")
	require.ErrorContains(t, err, "connected")
	require.Equal(t, []string{"9.9.9.9:443", "[2620:fe::fe]:443", "wiki.internal:8080"}, dialed, "the address that was checked is the one connected to")
}

// The system's own resolver is checked in the same way.
func TestDialWithTheSystemsResolver(t *testing.T) {
	for _, host := range []string{"localhost", "127.1", "0x7f.1", "2130706433", "0177.0.0.1"} {
		conn, err := Dialer{}.DialContext(t.Context(), "tcp", host+":1")
		require.Nil(t, conn)
		_, unknown := errors.AsType[*net.DNSError](err)
		require.True(t, unknown || errors.Is(err, ErrPrivate), "%s: %v", host, err)
	}
}
