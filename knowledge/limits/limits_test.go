package limits

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRate(t *testing.T) {
	now := time.Unix(1e9, 0)
	r := NewRate(20, 6, func() time.Time { return now })
	for range 6 {
		require.Zero(t, r.Take("ana"))
	}
	require.Equal(t, 3*time.Second, r.Take("ana"))
	require.Zero(t, r.Take("ben"))
	r.GiveBack("ana")
	require.Zero(t, r.Take("ana"))
	now = now.Add(time.Minute)
	for range 6 {
		require.Zero(t, r.Take("ana"))
	}
	require.NotZero(t, r.Take("ana"), "a minute's rest allows no more than the burst")
	for i := range 2 * maxRateKeys {
		r.Take(strconv.Itoa(i))
		require.LessOrEqual(t, len(r.buckets), maxRateKeys)
	}
}

func TestSlots(t *testing.T) {
	var s Slots
	one, both := Bound{Key: "ana", Max: 2}, Bound{Key: "all", Max: 3}
	first, ok := s.Take(one, both)
	require.True(t, ok)
	_, ok = s.Take(one, both)
	require.True(t, ok)
	_, ok = s.Take(one, both)
	require.False(t, ok)
	_, ok = s.Take(Bound{Key: "ben", Max: 2}, both)
	require.True(t, ok)
	_, ok = s.Take(Bound{Key: "ben", Max: 2}, both)
	require.False(t, ok)
	first()
	_, ok = s.Take(Bound{Key: "ben", Max: 2}, both)
	require.True(t, ok, "what was refused took nothing")
	require.Equal(t, map[string]int{"ana": 1, "ben": 2, "all": 3}, s.held)
}

func TestNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"fe80::1%eth0": "fe80::/64", "": "", "not an address": "not an address",
	} {
		require.Equal(t, want, Network(address), address)
	}
}
