package hours_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/hours"
)

func day(t *testing.T, text string) hours.Day {
	d, err := hours.ParseDay(text)
	require.NoError(t, err, text)
	return d
}

func TestHours(t *testing.T) {
	require.Equal(t, "09:00-12:30, 14:00-24:00", day(t, "14–24, 9:00 - 12:30").String(), "in order, however it is typed")
	for text, wrong := range map[string]error{"9": hours.ErrSpan, "18:00-9:00": hours.ErrSpan, "9:00-25:00": hours.ErrSpan, "9:60-10": hours.ErrSpan, "x": hours.ErrSpan,
		"9-12, 11-13": hours.ErrOverlap, "1-2,2-3,3-4,4-5,5-6,6-7,7-8": hours.ErrMany} {
		_, err := hours.ParseDay(text)
		require.ErrorIs(t, err, wrong, text)
	}
	require.NoError(t, hours.CheckZone("Europe/Berlin"))
	for _, zone := range []string{"", "Local", "Mars/Base"} {
		require.ErrorIs(t, hours.CheckZone(zone), hours.ErrZone, zone)
	}
	table := hours.Table{Zone: "Europe/Berlin"}
	require.False(t, table.Set())
	for d := time.Monday; d <= time.Friday; d++ {
		table.Days[d] = day(t, "9-12, 14-18")
	}
	var err error
	table.Holidays, err = hours.ParseHolidays("2026-12-25 Christmas Day\n\n 2026-12-24  9:00-10:00, 11-12  Christmas Eve \n")
	require.NoError(t, err)
	require.Equal(t, "2026-12-24 09:00-10:00, 11:00-12:00 Christmas Eve\n2026-12-25 Christmas Day", table.HolidaysText())
	_, err = hours.ParseHolidays("25.12.2026")
	require.ErrorIs(t, err, hours.ErrDate)
	for at, open := range map[string]bool{
		"2026-11-30T08:00:00Z": true,  // Monday, 9:00 in Berlin
		"2026-11-30T11:00:00Z": false, // noon: the end is not in it
		"2026-11-30T13:00:00Z": true,
		"2026-06-01T07:00:00Z": true, // summer time
		"2026-11-29T08:00:00Z": false,
		"2026-12-24T10:30:00Z": true, "2026-12-24T14:00:00Z": false, "2026-12-25T09:00:00Z": false,
	} {
		when, err := time.Parse(time.RFC3339, at)
		require.NoError(t, err)
		require.Equal(t, open, table.Open(when), at)
	}
	closed, err := time.Parse(time.RFC3339, "2026-12-24T11:00:00Z")
	require.NoError(t, err)
	require.Equal(t, "2026-12-28T09:00:00+01:00", table.Next(closed).Format(time.RFC3339), "over a holiday and a weekend")
	require.True(t, hours.Table{}.Next(closed).IsZero())
}
