package brand_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge"
	"faqbot/knowledge/brand"
	"faqbot/knowledge/hours"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

func TestVersions(t *testing.T) {
	t.Parallel()
	sqldbtest.Run(t, []sqldb.Schema{knowledge.Schema(), brand.Schema()}, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		corpus := knowledge.NewCorpus(db, time.Now)
		require.NoError(t, corpus.EnsureAffiliate(ctx, "acme"))
		require.NoError(t, corpus.EnsureAffiliate(ctx, "other"))
		s := brand.NewStore(db, func() time.Time { return time.UnixMilli(1000) })
		b, err := s.Of(ctx, "acme")
		require.NoError(t, err)
		require.Equal(t, brand.Brand{}, b, "nothing was decided")
		one := brand.Brand{Name: "Acme", Phrases: map[string]map[string]string{"en": {"greeting": "Hi"}}, Topics: map[string]brand.Policy{"refunds": brand.PolicyPerson},
			Hours: hours.Table{Zone: "UTC", Days: [7]hours.Day{1: {{From: 60, To: 120}}}}}
		require.NoError(t, s.Save(ctx, "acme", one, "ann", 0))
		require.ErrorIs(t, s.Save(ctx, "acme", brand.Brand{Name: "B"}, "bob", 0), brand.ErrConflict, "bob has not seen ann's")
		require.NoError(t, s.Save(ctx, "acme", brand.Brand{Name: "B"}, "bob", 1))
		list, err := s.History(ctx, "acme")
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.Equal(t, brand.Saved{Brand: one, Version: 1, By: "ann", At: time.UnixMilli(1000).UTC()}, list[1])
		require.Equal(t, brand.PolicyPerson, list[1].Policy(" Refunds "))
		latest, err := s.Latest(ctx, "acme")
		require.NoError(t, err)
		require.Equal(t, list[0], latest)
		b, err = s.Of(ctx, "other")
		require.NoError(t, err)
		require.Equal(t, brand.Brand{}, b, "another affiliate's")
	})
}

func TestChecks(t *testing.T) {
	t.Parallel()
	p := brand.Phrase{Max: 30, Words: map[string]string{"en": "{agent} has closed {agent}'s request."}}
	require.NoError(t, p.Check("en", "{agent} is done 😀"))
	require.ErrorIs(t, p.Check("en", "Done."), brand.ErrPlaceholder)
	require.ErrorIs(t, p.Check("en", "{agent} {link}"), brand.ErrPlaceholder)
	require.ErrorIs(t, p.Check("en", "{agent} "+strings.Repeat("😀", 12)), brand.ErrLong, "two units each")
	require.ErrorIs(t, brand.Phrase{Max: 30, Button: true}.Check("en", "a\nb"), brand.ErrLines)
	for address, right := range map[string]bool{"": true, "https://a.example/imprint": true, "http://a.example": true, "javascript:alert(1)": false, "a.example": false, "https://a@b.example": false} {
		require.Equal(t, right, brand.CheckURL(address) == nil, address)
	}
}
