package spelling

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRepair(t *testing.T) {
	own := NewLexicon(strings.Fields("refund order parcel card delivery my where is naïve übergabe x200 top"))
	common := NewLexicon(strings.Fields("the have received parcels orders where pencil stop password two2 ##ing"))
	for text, want := range map[string]string{
		"where is my refund":         "where is my refund",
		"wher is my refnud":          "where is my refund",
		"where is my parcle?":        "where is my parcel?",
		"  whree,  is (my) odrer!! ": "  where,  is (my) order!! ",
		"i have recieved the card":   "i have received the card",
		"Wehre is my card":           "where is my card",
		"my X20O and x20o":           "my X20O and x20o", // codes
		"my Parcle from PaarcelCo":   "my Parcle from PaarcelCo",
		"where is my Ordre":          "where is my Ordre", // may be a name
		"WHERE IS MY PARCLE":         "WHERE IS MY parcel",
		"order-numbr a@parcle.com":   "order-numbr a@parcle.com",
		"orde":                       "order",  // one edit
		"odre":                       "odre",   // two, but it is short
		"parcelz":                    "parcel", // as near as parcels, which the corpus does not have
		"xyzzyplugh":                 "xyzzyplugh",
		"ubergabe":                   "übergabe",
		"tp":                         "tp",
		"":                           "",
		"\xff\xfe parcle":            "\xff\xfe parcel",
		"pasword":                    "password",
	} {
		require.Equal(t, want, Repair(text, own, common), "%q", text)
	}
	require.Equal(t, "my parcel", Repair("my parcle", own, nil))
}

func TestRepairGivesUpOnRubble(t *testing.T) {
	own := NewLexicon([]string{"parcel"})
	text := strings.Repeat("parcle ", maxRepairs+1)
	require.Equal(t, text, Repair(text, own, nil))
	require.Equal(t, strings.Repeat("parcel ", maxRepairs), Repair(strings.Repeat("parcle ", maxRepairs), own, nil))
}

func TestTheFrequentWordIsMeant(t *testing.T) {
	require.Equal(t, "carts", Repair("carxs", NewLexicon([]string{"carts", "cards"}), nil))
	require.Equal(t, "cards", Repair("carxs", NewLexicon([]string{"cards", "carts"}), nil))
	require.Equal(t, "cards", Repair("carxs", NewLexicon([]string{"bards", "cards"}), nil), "which starts alike")
}

func TestDistance(t *testing.T) {
	for pair, want := range map[string]int{
		"order order": 0, "ordre order": 1, "odrer order": 1, "oder order": 1, "orrder order": 1, "orxer order": 1,
		"roder order": 1, "odre order": 2, "re order": 3, "abcdef uvwxyz": 3,
	} {
		a, b, _ := strings.Cut(pair, " ")
		s := search{word: []rune(a), within: 2}
		require.Equal(t, want, min(3, s.distance([]rune(b))), pair)
	}
}

func FuzzRepair(f *testing.F) {
	own := NewLexicon([]string{"parcel", "order", "übergabe"})
	for _, text := range []string{"", "wher is my parcle", "\xff", "Ｐarcle ﬁ ǆ", "İİİİ"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once := Repair(text, own, nil)
		if len(strings.Fields(once)) != len(strings.Fields(text)) {
			t.Errorf("%q became %q", text, once)
		}
	})
}
