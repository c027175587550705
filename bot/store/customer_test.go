package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/bot"
	"faqbot/bot/bottest"
	"faqbot/bot/conversations"
	"faqbot/bot/inbound"
	"faqbot/bot/store"
	"faqbot/knowledge"
	"faqbot/knowledge/vault"
)

// A linked is a recorder to which links lead.
type linked struct{ bottest.Recorder }

func (*linked) Link(_ context.Context, greeting, ref string) (string, error) {
	return "https://go.example/" + greeting + "/" + ref, nil
}

// A family is a world with more accounts: one that links lead to, another affiliate's, and one of each on
// a second channel of phones.
type family struct {
	*bottest.World
	now    time.Time
	conv   *conversations.Service
	served map[string]bot.Account // by AccountKey
}

var linkKey = vault.FixedSigner([]byte("a key for the links of these tests"))

func newFamily(w *bottest.World) *family {
	f := &family{World: w, now: time.Now(), served: map[string]bot.Account{"test/one": w.Account}}
	for _, a := range []bot.Account{
		{Channel: "phones", ID: "two", Locale: "en", Affiliates: w.Account.Affiliates},
		{Channel: "phones", ID: "rival", Locale: "en", Affiliates: []knowledge.AffiliateID{"rival"}},
		{Channel: "shared", ID: "three", Locale: "en", Affiliates: w.Account.Affiliates},
	} {
		f.served[bot.AccountKey(a.Channel, a.ID)] = a
		w.Accounts.Put(a, &linked{bottest.Recorder{Capacity: w.Channel.Capacity}})
	}
	clock := func() time.Time { return f.now }
	w.Intake = inbound.NewIntake(w.Store, w.Accounts, w.Log, inbound.IntakeOptions{Now: clock, LinkKey: linkKey})
	f.conv = conversations.New(w.Store, w.Accounts, conversations.Options{Now: clock, LinkKey: linkKey})
	return f
}

// hears lets a customer write on an account; edit may change the event.
func (f *family) hears(key, customer, id, text string, edit func(*bot.Event)) bot.Conversation {
	f.T.Helper()
	channel, account, _ := strings.Cut(key, "/")
	f.now = f.now.Add(2 * time.Millisecond) // so that what comes later is later
	e := bot.Event{Address: bot.Address{Channel: channel, Account: account, Customer: customer}, ExternalID: id, At: f.now, Message: &bot.Inbound{Text: text, NetworkID: id}}
	if edit != nil {
		edit(&e)
	}
	require.NoError(f.T, f.Intake.Accept(f.T.Context(), f.served[key], []bot.Event{e}))
	return f.at(key, customer)
}

func (f *family) at(key, customer string) bot.Conversation {
	f.T.Helper()
	channel, account, _ := strings.Cut(key, "/")
	c, err := f.conv.Find(f.T.Context(), bot.Address{Channel: channel, Account: account, Customer: customer})
	require.NoError(f.T, err)
	return c
}

// useLink makes a useLink from a conversation to an account and returns its code.
func (f *family) useLink(from bot.Conversation, key string) string {
	f.T.Helper()
	address, err := f.conv.Link(f.T.Context(), from.ID, key, "")
	require.NoError(f.T, err)
	return address[strings.LastIndex(address, "/")+1:]
}

// by is an event that came by a link.
func by(code string) func(*bot.Event) { return func(e *bot.Event) { e.Message.Ref = code } }

func withPhone(n string) func(*bot.Event) { return func(e *bot.Event) { e.Phone = n } }

// lastChoice is what the newest message of a conversation chose.
func (f *family) lastChoice(c bot.Conversation) string {
	f.T.Helper()
	said, err := f.conv.Transcript(f.T.Context(), c.ID, 0)
	require.NoError(f.T, err)
	return said[len(said)-1].Choice
}

func TestALinkJoinsWhoOpensIt(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		f := newFamily(w)
		ana := f.hears("test/one", "ana", "1", "how do I get paid?", nil)
		where, err := f.conv.Destinations(t.Context(), ana)
		require.NoError(t, err)
		require.Equal(t, []conversations.Destination{{Key: "phones/two", Channel: "phones"}, {Key: "shared/three", Channel: "shared"}}, where, "not another affiliate's, not the same channel")

		code := f.useLink(ana, "phones/two")
		require.Regexp(t, `^[A-Za-z0-9_-]{32}$`, code, "every network carries it")
		require.Zero(t, f.Count(`SELECT COUNT(*) FROM links WHERE digest LIKE $1`, "%"+code[2:]+"%"), "it is not kept itself")
		phone := f.hears("phones/two", "p1", "1", "/start", by(code))
		require.Equal(t, ana.Customer, phone.Customer)
		require.Equal(t, ana.Episode, phone.Episode, "it is the same matter")
		require.Equal(t, 1, f.Count(`SELECT COUNT(*) FROM episodes`))
		require.Equal(t, 1, f.Count(`SELECT COUNT(*) FROM customers`))
		require.Equal(t, bot.ChoiceLinked, f.lastChoice(phone))
		require.Empty(t, phone.FirstRef, "our own code is no referral")

		f.hears("phones/two", "p1", "1", "/start", by(code))
		require.Equal(t, 1, f.Count(`SELECT COUNT(*) FROM messages WHERE conversation_id = $1`, phone.ID), "delivered again, taken once")
		f.hears("phones/two", "p1", "2", "Hi!", by(code))
		require.Equal(t, bot.ChoiceLinked, f.lastChoice(phone), "opened again by the same")

		thief := f.hears("phones/two", "p2", "1", "/start", by(code))
		require.NotEqual(t, ana.Customer, thief.Customer, "a link is of use once")
		require.Equal(t, bot.ChoiceLinkGone, f.lastChoice(thief))

		list, err := f.conv.Identities(t.Context(), ana)
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.Equal(t, bot.ProofNone, list[0].Proof)
		require.Equal(t, bot.ProofLink, list[1].Proof)
		where, err = f.conv.Destinations(t.Context(), ana)
		require.NoError(t, err)
		require.Equal(t, []conversations.Destination{{Key: "shared/three", Channel: "shared"}}, where, "they are on the other already")
	})
}

func TestALinkThatIsOfNoUse(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		f := newFamily(w)
		ana := f.hears("test/one", "ana", "1", "hello", nil)
		code := f.useLink(ana, "phones/two")
		forged := code[:len(code)-1] + "A"
		if forged == code {
			forged = code[:len(code)-1] + "B"
		}
		for i, c := range []struct{ key, code string }{
			{"phones/rival", code}, // another affiliate's account
			{"shared/three", code}, // an account for which it was not made
			{"phones/two", forged},
			{"phones/two", store.LinkPrefix + strings.Repeat("A", store.LinkRandom) + store.LinkSignature(linkKey.MAC(store.LinkMessage(strings.Repeat("A", store.LinkRandom), "phones/two")))},
		} {
			got := f.hears(c.key, fmt.Sprint("x", i), "1", "/start", by(c.code))
			require.NotEqual(t, ana.Customer, got.Customer, c.key)
			require.Equal(t, bot.ChoiceLinkGone, f.lastChoice(got), c.key)
		}
		for _, ref := range []string{"summer", "l_short", strings.ToLower(code)} {
			got := f.hears("phones/two", ref, "1", "/start", by(ref))
			require.Equal(t, ref, got.FirstRef, "an affiliate's own parameter")
		}
		f.now = f.now.Add(store.LinkFor + time.Second)
		late := f.hears("phones/two", "late", "1", "/start", by(code))
		require.NotEqual(t, ana.Customer, late.Customer)
		require.Equal(t, bot.ChoiceLinkGone, f.lastChoice(late))

		_, err := f.conv.Link(t.Context(), ana.ID, "phones/rival", "ann")
		require.ErrorIs(t, err, conversations.ErrNoLink)
		_, err = f.conv.Link(t.Context(), "nobody", "phones/two", "ann")
		require.ErrorIs(t, err, bot.ErrNotFound)

		fresh := f.useLink(ana, "phones/two")
		asks := f.hears("phones/two", "asks", "1", "where is my money?", by(fresh))
		require.Equal(t, ana.Customer, asks.Customer)
		require.Empty(t, f.lastChoice(asks), "words of their own want an answer")
		opened := f.hears("shared/three", "had", "1", "hello", nil)
		again := f.useLink(ana, "shared/three")
		f.hears("shared/three", "had", "2", "", func(e *bot.Event) {
			e.Message, e.Interaction, e.Referral, e.Opens = nil, &bot.Interaction{}, &bot.Referral{Ref: again}, bot.WindowReferral
		})
		require.Equal(t, ana.Customer, f.at("shared/three", "had").Customer, "a link opened in a chat they had")
		require.Equal(t, bot.ChoiceLinked, f.lastChoice(opened), "is answered")
	})
}

// The account changes hands between the making of a link and its opening: customers of two affiliates stay two.
func TestALinkJoinsNobodyAcrossAffiliates(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		f := newFamily(w)
		ana := f.hears("test/one", "ana", "1", "hello", nil)
		code := f.useLink(ana, "phones/two")
		sold := f.served["phones/two"]
		sold.Affiliates = []knowledge.AffiliateID{"rival"}
		f.served["phones/two"] = sold
		w.Accounts.Put(sold, &linked{bottest.Recorder{Capacity: w.Channel.Capacity}})
		for _, id := range []string{"1", "2"} {
			opened := f.hears("phones/two", "p1", id, "/start", by(code))
			require.NotEqual(t, ana.Customer, opened.Customer)
			require.NotEqual(t, ana.Episode, opened.Episode)
			require.Equal(t, bot.ChoiceLinkGone, f.lastChoice(opened))
		}
		require.Zero(t, f.Count(`SELECT COUNT(*) FROM joins`))
	})
}

func TestOfManyWhoOpenALinkOneIsJoined(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		f := newFamily(w)
		ana := f.hears("test/one", "ana", "1", "hello", nil)
		code := f.useLink(ana, "phones/two")
		var g errgroup.Group
		for i := range 12 {
			g.Go(func() error {
				return f.Intake.Accept(t.Context(), f.served["phones/two"], []bot.Event{{Address: bot.Address{Channel: "phones", Account: "two", Customer: fmt.Sprint("p", i)}, ExternalID: "1", At: f.now,
					Message: &bot.Inbound{Text: "/start", Ref: code}}})
			})
		}
		require.NoError(t, g.Wait())
		require.Equal(t, 2, f.Count(`SELECT COUNT(*) FROM conversations WHERE customer_id = $1`, ana.Customer))
		require.Equal(t, 1, f.Count(`SELECT COUNT(*) FROM joins`))
	})
}

func TestAMatterGoesOnInAnotherChannel(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		f := newFamily(w)
		var turns []bot.Turn
		w.Run(w.Runner(bottest.Echo{Before: func(turn bot.Turn) error { turns = append(turns, turn); return nil }}).Run)
		ana := f.hears("test/one", "ana", "1", "how long does delivery to France take?", nil)
		f.Soon("answered", func() bool { return f.Count(`SELECT COUNT(*) FROM turns`) == 1 })
		require.True(t, turns[0].Disclose)
		phone := f.hears("phones/two", "p", "1", "old question", nil)
		f.Soon("answered", func() bool { return f.Count(`SELECT COUNT(*) FROM turns`) == 2 })
		require.Equal(t, 2, f.Count(`SELECT COUNT(*) FROM episodes`))
		f.hears("phones/two", "p", "2", "/start", by(f.useLink(ana, "phones/two")))
		f.Soon("answered", func() bool { return f.Count(`SELECT COUNT(*) FROM turns`) == 3 })
		f.hears("phones/two", "p", "3", "and to Germany?", nil)
		f.Soon("answered", func() bool { return f.Count(`SELECT COUNT(*) FROM turns`) == 4 })
		var said []string
		for _, m := range turns[3].History {
			said = append(said, m.Text)
		}
		require.Equal(t, "how long does delivery to France take?", said[0])
		require.Contains(t, said, "old question")
		require.False(t, turns[3].Disclose)
		require.Equal(t, 1, f.Count(`SELECT COUNT(*) FROM episodes`), "two matters turned out to be one")
		for _, table := range []string{"messages", "events"} {
			require.Zero(t, f.Count(`SELECT COUNT(*) FROM `+table+` WHERE episode_id <> $1`, f.at("test/one", "ana").Episode))
		}

		require.NoError(t, f.conv.Hold(t.Context(), phone.ID))
		require.NoError(t, f.conv.HandBack(t.Context(), phone.ID, bot.Reply{Text: "closed"}))
		f.now = f.now.Add(time.Minute)
		f.hears("test/one", "ana", "9", "something else", nil)
		require.Equal(t, 2, f.Count(`SELECT COUNT(*) FROM episodes`), "resolved on one channel, it is resolved on all")
		require.Equal(t, 1, f.Count(`SELECT COUNT(*) FROM episodes WHERE outcome = 'resolved'`))

		f.now = f.now.Add(20 * time.Hour)
		f.hears("phones/two", "p", "10", "still there?", nil)
		f.now = f.now.Add(20 * time.Hour)
		last := f.hears("test/one", "ana", "11", "yes?", nil)
		require.Equal(t, f.at("phones/two", "p").Episode, last.Episode, "silent here, not elsewhere")
		require.Equal(t, 2, f.Count(`SELECT COUNT(*) FROM episodes`))
		f.now = f.now.Add(25 * time.Hour)
		f.hears("test/one", "ana", "12", "a new matter", nil)
		require.Equal(t, 1, f.Count(`SELECT COUNT(*) FROM episodes WHERE outcome = 'silence'`))
	})
}

// What was resolved before two turned out to be one customer stays a matter of its own.
func TestAJoinLeavesWhatIsResolved(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		f := newFamily(w)
		ana := f.hears("test/one", "ana", "1", "hello", nil)
		phone := f.hears("phones/two", "p", "1", "a matter of its own", nil)
		require.NoError(t, f.conv.Hold(t.Context(), phone.ID))
		require.NoError(t, f.conv.HandBack(t.Context(), phone.ID, bot.Reply{Text: "closed"}))
		after := f.hears("phones/two", "p", "2", "/start", by(f.useLink(ana, "phones/two")))
		require.Equal(t, ana.Episode, after.Episode)
		require.Equal(t, 1, f.Count(`SELECT COUNT(*) FROM messages WHERE episode_id = $1 AND author = 'customer'`, phone.Episode))
		require.Equal(t, 1, f.Count(`SELECT COUNT(*) FROM episodes WHERE outcome = 'resolved'`))
	})
}

// Most networks cut times to the second. What was said after something on another channel stands after it.
func TestTimesCutToTheSecond(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		f := newFamily(w)
		second := time.Now().Truncate(time.Second).Add(-time.Minute)
		told := func(at time.Time) func(*bot.Event) { return func(e *bot.Event) { e.At = at } }
		f.now = second.Add(400 * time.Millisecond)
		first := f.hears("test/one", "ana", "1", "hello", nil)
		f.now = second.Add(600 * time.Millisecond)
		then := f.hears("phones/two", "p", "1", "I go on here", told(second))
		late := f.hears("phones/two", "p", "2", "written long ago", told(second.Add(-time.Hour)))
		var all []bot.Message
		for _, id := range []bot.ConversationID{first.ID, then.ID} {
			list, err := f.conv.Transcript(t.Context(), id, 0)
			require.NoError(t, err)
			all = append(all, list...)
		}
		require.Equal(t, then.ID, late.ID)
		require.True(t, all[1].At.After(all[0].At))
		require.False(t, all[1].At.After(f.now), "not ahead of our time")
		require.WithinDuration(t, second.Add(-time.Hour), all[2].At, time.Second)
	})
}

func TestInterleave(t *testing.T) {
	at := func(conv bot.ConversationID, text string, second int) bot.Message {
		return bot.Message{Conversation: conv, Text: text, At: time.Unix(int64(second), 0)}
	}
	var said []string
	for _, m := range bot.Interleave([]bot.Message{at("a", "1", 10), at("a", "2", 30), at("a", "3", 29), at("b", "x", 20), at("b", "y", 30), at("b", "z", 40)}) {
		said = append(said, m.Text)
	}
	require.Equal(t, []string{"1", "x", "2", "3", "y", "z"}, said)
}

func TestWhoWaitsForAPersonStillDoes(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		f := newFamily(w)
		ana := f.hears("test/one", "ana", "1", "a person please", nil)
		require.NoError(t, f.conv.Hold(t.Context(), ana.ID))
		phone := f.hears("phones/two", "p", "1", "/start", by(f.useLink(ana, "phones/two")))
		require.Equal(t, bot.ModePerson, phone.Mode)
		require.Equal(t, ana.Episode, phone.Episode)
	})
}

func TestOnePhoneNumberJoins(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		f := newFamily(w)
		a := f.hears("phones/two", "p", "1", "hello", withPhone("16505551234"))
		f.hears("shared/three", "other", "1", "hello", nil)
		b := f.hears("shared/three", "s", "1", "my contact", withPhone("16505551234"))
		require.Equal(t, a.Customer, b.Customer)
		require.Equal(t, a.Episode, b.Episode)
		rival := f.hears("phones/rival", "p", "1", "hello", withPhone("16505551234"))
		require.NotEqual(t, a.Customer, rival.Customer, "another affiliate's customer")
		require.Equal(t, 3, f.Count(`SELECT COUNT(*) FROM customers`))

		// Somebody else has the number now.
		heir := f.hears("phones/two", "heir", "1", "hello", withPhone("16505551234"))
		require.Empty(t, f.at("phones/two", "p").Phone)
		require.Equal(t, a.Customer, heir.Customer, "the other network proved it today")
		f.now = f.now.Add(store.PhoneFor + time.Hour)
		later := f.hears("phones/two", "later", "1", "hello", withPhone("16505551234"))
		require.NotEqual(t, a.Customer, later.Customer, "proofs grow old: numbers pass on")
	})
}

func TestSeparate(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		f := newFamily(w)
		a := f.hears("phones/two", "p", "1", "hello", withPhone("16505551234"))
		b := f.hears("shared/three", "s", "1", "my contact", withPhone("16505551234"))
		require.NoError(t, f.conv.Separate(t.Context(), b.ID, "lea"))
		require.NoError(t, f.conv.Separate(t.Context(), b.ID, "lea"))
		apart := f.at("shared/three", "s")
		require.NotEqual(t, a.Customer, apart.Customer)
		list, err := f.conv.Identities(t.Context(), apart)
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.Equal(t, bot.ProofApart, list[0].Proof)
		require.Equal(t, "lea", list[0].Agent)

		f.now = f.now.Add(2 * store.PhoneAgain)
		again := f.hears("shared/three", "s", "2", "hello", withPhone("16505551234"))
		require.Equal(t, apart.Customer, again.Customer, "what an agent separated, a number does not join")
		require.NotEqual(t, f.at("phones/two", "p").Episode, again.Episode)
		f.hears("phones/two", "p", "2", "hello", withPhone("16505551234"))
		require.NotEqual(t, again.Customer, f.at("phones/two", "p").Customer)

		f.hears("shared/three", "s", "3", "/start", by(f.useLink(f.at("phones/two", "p"), "shared/three")))
		require.Equal(t, a.Customer, f.at("shared/three", "s").Customer, "a link does")
		require.Equal(t, 3, f.Count(`SELECT COUNT(*) FROM joins`), "all of it is on record")
	})
}

func TestAdvertisingIsRefusedToWhoWantsNone(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		f := newFamily(w)
		f.hears("phones/two", "p", "1", "hello", nil)
		wants := func(marketing bool) bot.Conversation {
			f.now = f.now.Add(time.Second)
			return f.hears("phones/two", "p", "c", "", func(e *bot.Event) { e.Message, e.Consent = nil, &bot.Consent{Marketing: marketing} })
		}
		c := wants(false)
		require.Equal(t, bot.OptOutMarketing, c.OptOut)
		refused := func(r bot.Reply) *bot.SendError {
			err := f.conv.Say(t.Context(), c.ID, fmt.Sprint(f.now.UnixNano(), r.Text), r)
			var se *bot.SendError
			if err != nil {
				require.ErrorAs(t, err, &se)
			}
			return se
		}
		require.Equal(t, bot.SendUnwanted, refused(bot.Reply{Text: "sale", Template: &bot.Filled{Name: "sale", Marketing: true}}).Kind)
		require.Nil(t, refused(bot.Reply{Text: "your order", Template: &bot.Filled{Name: "order"}}))
		require.Equal(t, bot.OptOutNothing, wants(true).OptOut)
		require.Nil(t, refused(bot.Reply{Text: "sale", Template: &bot.Filled{Name: "sale", Marketing: true}}))
	})
}

func TestSourcesCountEachCustomerOnce(t *testing.T) {
	bottest.OnBoth(t, func(t *testing.T, w *bottest.World) {
		f := newFamily(w)
		a := f.hears("phones/two", "p", "1", "hello", by("spring"))
		f.hears("phones/two", "p", "2", "hello", by("summer"))
		f.hears("phones/two", "q", "1", "hello", by("spring"))
		f.hears("phones/rival", "p", "1", "hello", by("spring"))
		f.hears("shared/three", "s", "1", "/start", by(f.useLink(a, "shared/three")))
		got, err := f.conv.Sources(t.Context(), w.Account.Affiliates, f.now.Add(-time.Hour))
		require.NoError(t, err)
		require.Equal(t, []bot.Source{{Name: "spring", Channel: "phones", First: 2, Last: 1}, {Name: "summer", Channel: "phones", Last: 1}}, got)
		got, err = f.conv.Sources(t.Context(), nil, f.now.Add(-time.Hour))
		require.NoError(t, err)
		require.Empty(t, got, "nobody's")
	})
}
