package people_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"faqbot/knowledge"
	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/vault"
)

// A clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

const (
	good  = "three brown horses"
	other = "four green teapots"
	home  = "192.0.2.1"
)

// run runs test on both databases with a directory and its clock.
func run(t *testing.T, test func(t *testing.T, d *people.Directory, c *clock, db *sqldb.DB)) {
	sqldbtest.Run(t, []sqldb.Schema{people.Schema()}, func(t *testing.T, db *sqldb.DB) {
		c := newClock()
		test(t, people.NewDirectory(db, people.Options{Now: c.now}), c, db)
	})
}

// add adds somebody who can sign in with the password good.
func add(t *testing.T, d *people.Directory, name string, role people.Role, affiliates ...knowledge.AffiliateID) people.Person {
	t.Helper()
	p, err := d.Add(t.Context(), people.Operator, people.Newcomer{Name: name, Role: role, Affiliates: affiliates})
	require.NoError(t, err)
	token, err := d.Reset(t.Context(), people.Operator, p.ID)
	require.NoError(t, err)
	_, err = d.Redeem(t.Context(), token, good)
	require.NoError(t, err)
	p, err = d.Get(t.Context(), p.ID)
	require.NoError(t, err)
	return p
}

func signIn(t *testing.T, d *people.Directory, name, password string) string {
	t.Helper()
	token, err := d.SignIn(t.Context(), name, password, people.From{Remote: home})
	require.NoError(t, err)
	return token
}

func who(t *testing.T, d *people.Directory, token string) (people.Person, bool) {
	t.Helper()
	p, ok, err := d.Who(t.Context(), token)
	require.NoError(t, err)
	return p, ok
}

func TestAddListGet(t *testing.T) {
	run(t, func(t *testing.T, d *people.Directory, c *clock, _ *sqldb.DB) {
		ctx := t.Context()
		p, err := d.Add(ctx, people.Operator, people.Newcomer{Name: "Zoë", Role: people.RoleAgent, Affiliates: []knowledge.AffiliateID{"b", "a", "b"}})
		require.NoError(t, err)
		require.Equal(t, []knowledge.AffiliateID{"a", "b"}, p.Affiliates)
		require.True(t, p.Invited)
		add(t, d, "ana", people.RoleLead)
		got, err := d.Get(ctx, p.ID)
		require.NoError(t, err)
		require.Equal(t, p, got)
		got, err = d.Find(ctx, " ZOË ")
		require.NoError(t, err)
		require.Equal(t, p, got)
		list, err := d.List(ctx)
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.Equal(t, "ana", list[0].Name)
		require.False(t, list[0].Invited)
		require.Empty(t, list[0].Affiliates)

		for name, want := range map[string]error{"zoë": people.ErrTaken, "ZOË": people.ErrTaken, "": people.ErrName, " a": people.ErrName, "a\nb": people.ErrName,
			"a\u202eb": people.ErrName, strings.Repeat("x", 65): people.ErrName, "a\xff": people.ErrName} {
			_, err := d.Add(ctx, people.Operator, people.Newcomer{Name: name, Role: people.RoleAgent})
			require.ErrorIs(t, err, want, "%q", name)
		}
		_, err = d.Add(ctx, people.Operator, people.Newcomer{Name: "x", Role: "king"})
		require.ErrorIs(t, err, people.ErrRole)
		_, err = d.Add(ctx, people.Operator, people.Newcomer{Name: "x", Role: people.RoleAgent, Affiliates: []knowledge.AffiliateID{""}})
		require.ErrorIs(t, err, people.ErrAffiliate)
		_, err = d.Get(ctx, "nobody")
		require.ErrorIs(t, err, people.ErrNotFound)
		_, err = d.Find(ctx, "nobody")
		require.ErrorIs(t, err, people.ErrNotFound)
	})
}

func TestMay(t *testing.T) {
	p := people.Person{Affiliates: []knowledge.AffiliateID{"a"}}
	require.True(t, p.May("a"))
	require.False(t, p.May("b"))
	require.False(t, p.May(""), "what belongs to nobody is for those who see all")
	require.False(t, p.May(knowledge.Everyone))
	require.False(t, people.Person{}.May("a"))
	all := people.Person{Affiliates: []knowledge.AffiliateID{knowledge.Everyone}}
	require.True(t, all.May("a"))
	require.True(t, all.May(knowledge.Everyone))
	require.True(t, all.May(""))
	all.Disabled = true
	require.False(t, all.May("a"))
}

func TestChanges(t *testing.T) {
	run(t, func(t *testing.T, d *people.Directory, c *clock, _ *sqldb.DB) {
		ctx := t.Context()
		p := add(t, d, "Ana", people.RoleAgent, "a")
		token := signIn(t, d, "ana", good)
		require.NoError(t, d.SetRole(ctx, people.Operator, p.ID, people.RoleLead))
		require.NoError(t, d.SetAffiliates(ctx, people.Operator, p.ID, []knowledge.AffiliateID{knowledge.Everyone}))
		got, ok := who(t, d, token)
		require.True(t, ok) // and the change counts at once
		require.Equal(t, people.RoleLead, got.Role)
		require.True(t, got.May("b"))
		require.ErrorIs(t, d.SetRole(ctx, people.Operator, p.ID, "king"), people.ErrRole)
		require.ErrorIs(t, d.SetRole(ctx, people.Operator, "nobody", people.RoleLead), people.ErrNotFound)
		require.ErrorIs(t, d.SetAffiliates(ctx, people.Operator, p.ID, []knowledge.AffiliateID{" a"}), people.ErrAffiliate)

		link, err := d.Reset(ctx, people.Operator, p.ID)
		require.NoError(t, err)
		require.NoError(t, d.Disable(ctx, people.Operator, p.ID))
		_, ok = who(t, d, token)
		require.False(t, ok)
		_, err = d.SignIn(ctx, "ana", good, people.From{Remote: home})
		require.ErrorIs(t, err, people.ErrSignIn)
		_, err = d.Redeem(ctx, link, other)
		require.ErrorIs(t, err, people.ErrToken)
		_, err = d.Reset(ctx, people.Operator, p.ID)
		require.ErrorIs(t, err, people.ErrNotFound)
		require.NoError(t, d.Enable(ctx, people.Operator, p.ID))
		_, ok = who(t, d, token)
		require.False(t, ok, "an ended session stays ended")
		signIn(t, d, "ana", good)
	})
}

func TestLastAdminStays(t *testing.T) {
	run(t, func(t *testing.T, d *people.Directory, c *clock, _ *sqldb.DB) {
		ctx := t.Context()
		a := add(t, d, "a", people.RoleAdmin)
		_, err := d.Add(ctx, people.Operator, people.Newcomer{Name: "invited", Role: people.RoleAdmin}) // cannot sign in yet
		require.NoError(t, err)
		require.ErrorIs(t, d.Disable(ctx, a.ID, a.ID), people.ErrLastAdmin)
		require.ErrorIs(t, d.SetRole(ctx, a.ID, a.ID, people.RoleAgent), people.ErrLastAdmin)
		got, err := d.Get(ctx, a.ID)
		require.NoError(t, err)
		require.Equal(t, a, got)

		// Two admins who remove each other at once: one of them stays.
		b := add(t, d, "b", people.RoleAdmin)
		var g errgroup.Group
		errs := make([]error, 2)
		g.Go(func() error { errs[0] = d.Disable(ctx, a.ID, b.ID); return nil })
		g.Go(func() error { errs[1] = d.SetRole(ctx, b.ID, a.ID, people.RoleAgent); return nil })
		require.NoError(t, g.Wait())
		if errs[0] == nil {
			require.ErrorIs(t, errs[1], people.ErrLastAdmin)
		} else {
			require.ErrorIs(t, errs[0], people.ErrLastAdmin)
			require.NoError(t, errs[1])
		}
	})
}

var firstAdminSigner = vault.FixedSigner([]byte("a key for the first admin's link"))

func TestFirstAdmin(t *testing.T) {
	run(t, func(t *testing.T, d *people.Directory, c *clock, _ *sqldb.DB) {
		ctx := t.Context()
		none, _, err := d.FirstAdmin(ctx, nil)
		require.NoError(t, err)
		require.Empty(t, none, "without the key no link is made, nor an older one replaced")
		old, ends, err := d.FirstAdmin(ctx, firstAdminSigner)
		require.NoError(t, err)
		require.Equal(t, c.now().Add(24*time.Hour), ends)
		c.move(23*time.Hour + time.Minute)
		token, ends, err := d.FirstAdmin(ctx, firstAdminSigner)
		require.NoError(t, err)
		require.NotEqual(t, old, token, "the old one ends within the hour")
		require.Equal(t, c.now().Add(24*time.Hour), ends)
		_, err = d.BecomeAdmin(ctx, old, "Marta", good)
		require.ErrorIs(t, err, people.ErrToken, "replaced")
		// Services that start at the same time, and later starts, print the same link.
		var starts errgroup.Group
		for range 6 {
			starts.Go(func() error {
				again, _, err := d.FirstAdmin(ctx, firstAdminSigner)
				if err == nil && again != token {
					err = errors.New("another link")
				}
				return err
			})
		}
		require.NoError(t, starts.Wait())
		invitation, err := d.Invited(ctx, token)
		require.NoError(t, err)
		require.True(t, invitation.First)
		_, err = d.Redeem(ctx, token, good)
		require.ErrorIs(t, err, people.ErrToken, "it belongs to nobody")
		_, err = d.BecomeAdmin(ctx, token, "", "short")
		require.ErrorIs(t, err, people.ErrName)
		require.ErrorIs(t, err, people.ErrPasswordShort)

		// The link is opened in two windows at once: it makes one admin.
		var g errgroup.Group
		var won, lost sync.Map
		for _, name := range []string{"Marta", "Nora", "Olga"} {
			g.Go(func() error {
				_, err := d.BecomeAdmin(ctx, token, name, good)
				if err == nil {
					won.Store(name, true)
				} else if errors.Is(err, people.ErrToken) {
					lost.Store(name, true)
				}
				return nil
			})
		}
		require.NoError(t, g.Wait())
		require.Equal(t, 1, length(&won))
		require.Equal(t, 2, length(&lost))
		token, _, err = d.FirstAdmin(ctx, firstAdminSigner)
		require.NoError(t, err)
		require.Empty(t, token)
		list, err := d.List(ctx)
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.True(t, list[0].May("anything"))
	})
}

func length(m *sync.Map) (n int) {
	m.Range(func(any, any) bool { n++; return true })
	return n
}

func TestReset(t *testing.T) {
	run(t, func(t *testing.T, d *people.Directory, c *clock, db *sqldb.DB) {
		ctx := t.Context()
		p := add(t, d, "Ana", people.RoleAgent)
		session := signIn(t, d, "ana", good)
		old, err := d.Reset(ctx, people.Operator, p.ID)
		require.NoError(t, err)
		link, err := d.Reset(ctx, people.Operator, p.ID)
		require.NoError(t, err)
		signIn(t, d, "ana", good) // until the link is used

		_, err = d.Redeem(ctx, old, other)
		require.ErrorIs(t, err, people.ErrToken, "replaced")
		_, err = d.Redeem(ctx, link, "short")
		require.ErrorIs(t, err, people.ErrPasswordShort)
		_, err = d.BecomeAdmin(ctx, link, "x", other)
		require.ErrorIs(t, err, people.ErrToken)
		var g errgroup.Group
		var won sync.Map
		for i := range 3 {
			g.Go(func() error {
				if _, err := d.Redeem(ctx, link, other); err == nil {
					won.Store(i, true)
				}
				return nil
			})
		}
		require.NoError(t, g.Wait())
		require.Equal(t, 1, length(&won))
		_, ok := who(t, d, session)
		require.False(t, ok)
		_, err = d.SignIn(ctx, "ana", good, people.From{Remote: home})
		require.ErrorIs(t, err, people.ErrSignIn)
		signIn(t, d, "ana", other)

		link, err = d.Reset(ctx, people.Operator, p.ID)
		require.NoError(t, err)
		c.move(24 * time.Hour)
		_, err = d.Invited(ctx, link)
		require.ErrorIs(t, err, people.ErrToken, "a day is over")
		_, err = d.Redeem(ctx, link, other)
		require.ErrorIs(t, err, people.ErrToken)
		requireNotStored(t, db, link, session, good, other)
	})
}

// requireNotStored looks for secrets in every row of every table.
func requireNotStored(t *testing.T, db *sqldb.DB, secrets ...string) {
	t.Helper()
	for _, table := range []string{"people", "people_sessions", "people_invitations", "people_api_keys", "people_attempts", "people_audit"} {
		rows, err := db.QueryContext(context.Background(), `SELECT * FROM `+table)
		require.NoError(t, err)
		columns, err := rows.Columns()
		require.NoError(t, err)
		for rows.Next() {
			cells := make([]any, len(columns))
			for i := range cells {
				cells[i] = new(any)
			}
			require.NoError(t, rows.Scan(cells...))
			for i, cell := range cells {
				text, _ := (*cell.(*any)).(string)
				for _, secret := range secrets {
					require.NotContains(t, text, secret, "%s.%s", table, columns[i])
				}
			}
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
}

func TestAPIKeys(t *testing.T) {
	run(t, func(t *testing.T, d *people.Directory, c *clock, db *sqldb.DB) {
		ctx := t.Context()
		key, k, err := d.AddKey(ctx, people.Operator, "shop-one", " shop website ")
		require.NoError(t, err)
		require.Equal(t, "shop website", k.Label)
		affiliate, err := d.Key(ctx, key)
		require.NoError(t, err)
		require.Equal(t, knowledge.AffiliateID("shop-one"), affiliate)
		first := c.now()
		c.move(59 * time.Minute)
		_, err = d.Key(ctx, key)
		require.NoError(t, err)
		list, err := d.Keys(ctx)
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.Equal(t, first, list[0].UsedAt, "kept to the hour")
		requireNotStored(t, db, key)

		for _, bad := range []knowledge.AffiliateID{"", knowledge.Everyone} {
			_, _, err = d.AddKey(ctx, people.Operator, bad, "")
			require.ErrorIs(t, err, people.ErrAffiliate)
		}
		_, _, err = d.AddKey(ctx, people.Operator, "a", "a\x00")
		require.ErrorIs(t, err, people.ErrName)
		for _, bad := range []string{"", "faqbot_", key + "x", strings.ToUpper(key)} {
			_, err = d.Key(ctx, bad)
			require.ErrorIs(t, err, people.ErrKey)
		}
		require.NoError(t, d.RevokeKey(ctx, people.Operator, k.ID))
		_, err = d.Key(ctx, key)
		require.ErrorIs(t, err, people.ErrKey)
		require.ErrorIs(t, d.RevokeKey(ctx, people.Operator, k.ID), people.ErrNotFound)
	})
}

func TestAudit(t *testing.T) {
	run(t, func(t *testing.T, d *people.Directory, c *clock, _ *sqldb.DB) {
		ctx := t.Context()
		p, err := d.Add(ctx, people.Operator, people.Newcomer{Name: "Ana", Role: people.RoleAgent})
		require.NoError(t, err)
		for _, object := range []string{"one", "two", "three"} {
			c.move(time.Second)
			require.NoError(t, d.Record(ctx, p.ID, "publish", object))
		}
		notes, err := d.Notes(ctx, people.NoteFilter{}, "", 2)
		require.NoError(t, err)
		require.Len(t, notes, 2)
		require.Equal(t, []string{"three", "two"}, []string{notes[0].Object, notes[1].Object})
		require.Equal(t, "Ana", notes[0].ByName)
		require.Equal(t, c.now(), notes[0].At)
		older, err := d.Notes(ctx, people.NoteFilter{}, notes[1].ID, 10)
		require.NoError(t, err)
		require.Len(t, older, 2) // one, and that she was added
		require.Equal(t, "one", older[0].Object)
		require.Equal(t, string(people.Operator), older[1].ByName)

		count := func(f people.NoteFilter) int {
			list, err := d.Notes(ctx, f, "", 10)
			require.NoError(t, err)
			return len(list)
		}
		require.Equal(t, 3, count(people.NoteFilter{By: p.ID}))
		require.Equal(t, 1, count(people.NoteFilter{Action: people.ActionAdd}))
		require.Zero(t, count(people.NoteFilter{By: p.ID, Action: people.ActionAdd}))
		require.Equal(t, 1, count(people.NoteFilter{From: c.now()}))
		require.Equal(t, 3, count(people.NoteFilter{To: c.now()}))
		who, actions, err := d.Noted(ctx)
		require.NoError(t, err)
		require.Equal(t, []string{"Ana", string(people.Operator)}, []string{who[0].Name, who[1].Name})
		require.Equal(t, []people.Action{people.ActionAdd, "publish"}, actions)
	})
}
