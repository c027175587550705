package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/bot/bottest"
	"faqbot/bot/store"
	"faqbot/knowledge"
	"faqbot/knowledge/events"
	"faqbot/knowledge/media"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/retrieval"
	"faqbot/retrieval/learn"
)

// menu is an outcome that offers two of three entries, with the probability that the calibration gives the best.
func menu(reason bot.Reason) bot.Outcome {
	e := retrieval.Evidence{Sure: .6, Plain: .6, Entries: 30, Wordings: 1, Nearest: .5}
	p := retrieval.ShippedCalibrations().For("x").At(e)
	return bot.Outcome{Decision: bot.Decision{Action: bot.ActionClarify, Reason: reason, Score: p, Entries: []knowledge.EntryID{"A", "B"}},
		Replies: []bot.Reply{{Text: "Which?", Choices: []bot.Choice{{Label: "a", Payload: "e:A"}, {Label: "b", Payload: "e:B"}, {Label: "none", Payload: bot.ChoiceNone}}}},
		Trace: bot.Trace{Query: "ay or bee", Space: "x", Hits: []bot.TraceHit{{Entry: "A", Score: p, Odds: 1, Evidence: e},
			{Entry: "B", Score: p * (1 - p) * .75, Odds: .6, Evidence: e}, {Entry: "C", Score: p * (1 - p) * .25, Odds: .2, Evidence: e}}}}
}

// chosen is the outcome of a choice from a menu.
func chosen(payload string) bot.Outcome {
	return bot.Outcome{Decision: bot.Decision{Action: bot.ActionAnswer, Reason: bot.ReasonChosen}, Picked: &bot.Choice{Payload: payload}, Replies: []bot.Reply{{Text: "So."}}}
}

// A menu that is used is a label of the turn that showed it. What was not decided by the calibrated probability, and what
// was not offered, is none.
func TestMenusAreLabels(t *testing.T) {
	t.Parallel()
	lowered := menu(bot.ReasonUnsure) // it was about something else, say
	lowered.Trace.Hits[0].Score -= .01
	answered := menu(bot.ReasonUnsure)
	answered.Decision.Action, answered.Decision.Reason = bot.ActionAnswer, bot.ReasonConfident
	cases := map[string]struct {
		first, second bot.Outcome
		want          string // verdict, and whether it says something of menus
	}{
		"the best":            {menu(bot.ReasonUnsure), chosen("e:A"), "best true"},
		"another":             {menu(bot.ReasonUnsure), chosen("e:B"), "offered true"},
		"none of them":        {menu(bot.ReasonUnsure), chosen(bot.ChoiceNone), "none true"},
		"a close call":        {menu(bot.ReasonCloseCall), chosen("e:B"), "offered false"},
		"not offered":         {menu(bot.ReasonUnsure), chosen("e:C"), ""},
		"another doubt":       {lowered, chosen("e:A"), ""},
		"an answer before":    {answered, chosen("e:A"), ""},
		"nothing was chosen":  {menu(bot.ReasonUnsure), menu(bot.ReasonUnsure), ""},
		"no question in menu": {bot.Outcome{Decision: bot.Decision{Action: bot.ActionClarify, Reason: bot.ReasonUnsure}}, chosen("e:A"), ""},
	}
	sqldbtest.Run(t, []sqldb.Schema{media.Schema(), events.Schema(), learn.Schema(), store.Schema()}, func(t *testing.T, db *sqldb.DB) {
		w := bottest.NewWorld(t, db)
		for name, c := range cases {
			var turns []bot.TurnID
			for i, o := range []bot.Outcome{c.first, c.second} {
				w.Accept(bottest.Message(name, fmt.Sprint(name, i), "ay"))
				claim, ok := w.Claim()
				require.True(t, ok)
				require.NoError(t, w.Store.CommitTurn(t.Context(), claim, o, w.Now()))
				turns = append(turns, claim.Turn.ID)
			}
			got := ""
			var verdict string
			var menu bool
			var share float64
			err := db.QueryRowContext(t.Context(), `SELECT verdict, menu, share FROM labels WHERE chosen = 'menu' AND affiliate = 'acme' AND turn_id = $1`, turns[0]).Scan(&verdict, &menu, &share)
			if err == nil {
				got = fmt.Sprint(verdict, " ", menu)
				require.InDelta(t, .75, share, 1e-9, name)
			}
			require.Equal(t, c.want, got, name)
		}
		require.Equal(t, 4, w.Count(`SELECT COUNT(*) FROM labels`))
		for i, o := range []bot.Outcome{menu(bot.ReasonUnsure), chosen(bot.ChoiceNone)} {
			w.Accept(bottest.Message("the best", fmt.Sprint("again", i), "ay"))
			claim, ok := w.Claim()
			require.True(t, ok)
			require.NoError(t, w.Store.CommitTurn(t.Context(), claim, o, w.Now()))
		}
		require.Equal(t, 4, w.Count(`SELECT COUNT(*) FROM labels`), "a conversation teaches once")

		asked, err := w.Store.Asked(t.Context(), "acme", w.Now().Add(-time.Hour))
		require.NoError(t, err)
		require.Contains(t, asked, "ay or bee")
		for _, none := range []struct {
			affiliate knowledge.AffiliateID
			since     time.Time
		}{{"other", time.Time{}}, {"acme", w.Now().Add(time.Hour)}} {
			list, err := w.Store.Asked(t.Context(), none.affiliate, none.since)
			require.NoError(t, err)
			require.Empty(t, list)
		}
	})
}
