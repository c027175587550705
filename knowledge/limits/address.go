package limits

import "net/netip"

// Network returns what one customer of an internet provider holds, which is what bounds by address
// count: an IPv4 address, or the first 64 bits of an IPv6 address.
func Network(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}
