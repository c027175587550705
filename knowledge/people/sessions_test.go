package people_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/errgroup"

	"faqbot/knowledge/people"
	"faqbot/knowledge/sqldb"
)

func TestPasswordsThatWillNotDo(t *testing.T) {
	run(t, func(t *testing.T, d *people.Directory, c *clock, _ *sqldb.DB) {
		p, err := d.Add(t.Context(), people.Operator, people.Newcomer{Name: "Anastasia R", Role: people.RoleAgent})
		require.NoError(t, err)
		choose := func(password string) error {
			token, err := d.Reset(t.Context(), people.Operator, p.ID)
			require.NoError(t, err)
			_, err = d.Redeem(t.Context(), token, password)
			return err
		}
		for password, want := range map[string]error{
			"": people.ErrPasswordShort, "ninechars": people.ErrPasswordShort, "日本語日本語日本語": people.ErrPasswordShort,
			strings.Repeat("xy", 101): people.ErrPasswordLong,
			"anastasia r":             people.ErrPasswordObvious, "ANASTASIA R": people.ErrPasswordObvious, "Anastasia R2026!": people.ErrPasswordObvious,
			"Password123": people.ErrPasswordObvious, "1234567890": people.ErrPasswordObvious, "9876543210": people.ErrPasswordObvious,
			"aaaaaaaaaaaa": people.ErrPasswordObvious, "          ": people.ErrPasswordObvious, "qwertyuiop": people.ErrPasswordObvious, "changeme!!!": people.ErrPasswordObvious,
		} {
			require.ErrorIs(t, choose(password), want, "%q", password)
		}
		for _, password := range []string{good, strings.Repeat("xy", 100), "日本語のパスワードだよ", "!?.-_!?.-_x", "0192837465"} {
			require.NoError(t, choose(password), "%q", password)
			signIn(t, d, "anastasia r", password)
		}
	})
}

func TestSessions(t *testing.T) {
	run(t, func(t *testing.T, d *people.Directory, c *clock, db *sqldb.DB) {
		ctx := t.Context()
		p := add(t, d, "Ana", people.RoleAgent, "a")
		first, second, third := signIn(t, d, "ANA", good), signIn(t, d, " ana ", good), signIn(t, d, "ana", good)
		require.Len(t, first, 64)
		got, ok := who(t, d, first)
		require.True(t, ok)
		require.Equal(t, p, got)
		for _, bad := range []string{"", "x", strings.ToUpper(first), first + "0"} {
			_, ok = who(t, d, bad)
			require.False(t, ok)
		}
		list, err := d.Sessions(ctx, p.ID)
		require.NoError(t, err)
		require.Len(t, list, 3)
		for _, s := range list {
			if s.Is(third) {
				require.ErrorIs(t, d.EndSession(ctx, "somebody else", s.ID), people.ErrNotFound)
				require.NoError(t, d.EndSession(ctx, p.ID, s.ID))
				require.ErrorIs(t, d.EndSession(ctx, p.ID, s.ID), people.ErrNotFound)
			}
		}
		_, ok = who(t, d, third)
		require.False(t, ok)
		require.NoError(t, d.SignOut(ctx, second))
		require.NoError(t, d.SignOut(ctx, second))
		_, ok = who(t, d, second)
		require.False(t, ok)
		_, ok = who(t, d, first)
		require.True(t, ok)

		fourth := signIn(t, d, "ana", good)
		require.NoError(t, d.EndOtherSessions(ctx, p.ID, fourth))
		_, ok = who(t, d, first)
		require.False(t, ok)
		_, ok = who(t, d, fourth)
		require.True(t, ok)
		requireNotStored(t, db, first, fourth)
	})
}

func TestSessionsSlide(t *testing.T) {
	run(t, func(t *testing.T, d *people.Directory, c *clock, db *sqldb.DB) {
		add(t, d, "Ana", people.RoleAgent)
		token := signIn(t, d, "ana", good)
		for range 3 { // seen now and then
			c.move(13 * 24 * time.Hour)
			_, ok := who(t, d, token)
			require.True(t, ok)
		}
		c.move(14 * 24 * time.Hour)
		_, ok := who(t, d, token)
		require.False(t, ok)
		signIn(t, d, "ana", good) // sweeps
		var n int
		require.NoError(t, db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM people_sessions`).Scan(&n))
		require.Equal(t, 1, n)
	})
}

func TestChangePassword(t *testing.T) {
	run(t, func(t *testing.T, d *people.Directory, c *clock, _ *sqldb.DB) {
		ctx := t.Context()
		p := add(t, d, "Ana", people.RoleAgent)
		old := signIn(t, d, "ana", good)
		_, err := d.ChangePassword(ctx, p.ID, "wrong password", other, people.From{Remote: home})
		require.ErrorIs(t, err, people.ErrSignIn)
		_, err = d.ChangePassword(ctx, p.ID, good, "short", people.From{Remote: home})
		require.ErrorIs(t, err, people.ErrPasswordShort)
		link, err := d.Reset(ctx, people.Operator, p.ID)
		require.NoError(t, err)
		token, err := d.ChangePassword(ctx, p.ID, good, other, people.From{Remote: home})
		require.NoError(t, err)
		_, ok := who(t, d, token)
		require.True(t, ok)
		_, ok = who(t, d, old)
		require.False(t, ok)
		_, err = d.Redeem(ctx, link, good)
		require.ErrorIs(t, err, people.ErrToken, "a link from before is of no use")

		// A page left open is no way to guess the password without end.
		for range 5 {
			_, err = d.ChangePassword(ctx, p.ID, "wrong password", good, people.From{Remote: home})
		}
		require.ErrorIs(t, err, people.ErrSignIn)
		_, err = d.ChangePassword(ctx, p.ID, other, good, people.From{Remote: home})
		require.ErrorIs(t, err, people.ErrPaused)
	})
}

func TestGuessingIsPaused(t *testing.T) {
	run(t, func(t *testing.T, d *people.Directory, c *clock, db *sqldb.DB) {
		ctx := t.Context()
		p := add(t, d, "Ana", people.RoleAgent)
		add(t, d, "Ben", people.RoleAgent)
		wrong := func(name, remote string) error {
			_, err := d.SignIn(ctx, name, "not the password", people.From{Remote: remote})
			return err
		}
		wait := func(err error) time.Duration {
			var paused *people.PausedError
			require.ErrorAs(t, err, &paused)
			require.ErrorIs(t, err, people.ErrPaused)
			return paused.Wait
		}
		for range 5 {
			require.ErrorIs(t, wrong("ana", home), people.ErrSignIn)
		}
		require.Equal(t, 30*time.Second, wait(wrong("ANA", home)))
		_, err := d.SignIn(ctx, "ana", good, people.From{Remote: home})
		require.Equal(t, 30*time.Second, wait(err), "the right password has to wait as well")
		signIn(t, d, "ben", good)
		_, err = d.SignIn(ctx, "ana", good, people.From{Remote: "198.51.100.7"})
		require.NoError(t, err, "nobody can keep somebody out who is elsewhere")
		require.Equal(t, 30*time.Second, wait(wrong("ana", home)), "whose signing in lifts nothing here")

		c.move(30 * time.Second)
		for _, pause := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
			require.ErrorIs(t, wrong("ana", home), people.ErrSignIn)
			require.Equal(t, pause, wait(wrong("ana", home)))
			c.move(pause)
		}
		signIn(t, d, "ana", good) // and all is forgotten
		away := "198.51.100.9"    // by now the address at home is near its own bound
		for range 4 {
			require.ErrorIs(t, wrong("ana", away), people.ErrSignIn)
		}
		_, err = d.SignIn(ctx, "ana", good, people.From{Remote: away})
		require.NoError(t, err)

		for range 5 {
			require.ErrorIs(t, wrong("ana", away), people.ErrSignIn)
		}
		link, err := d.Reset(ctx, people.Operator, p.ID)
		require.NoError(t, err)
		_, err = d.Redeem(ctx, link, other)
		require.NoError(t, err)
		_, err = d.SignIn(ctx, "ana", other, people.From{Remote: away})
		require.NoError(t, err, "a link helps somebody whom others keep out")

		for range 5 {
			require.ErrorIs(t, wrong("ana", away), people.ErrSignIn)
		}
		c.move(25 * time.Hour)
		require.ErrorIs(t, wrong("ana", away), people.ErrSignIn)
		require.ErrorIs(t, wrong("ana", away), people.ErrSignIn, "a day later they begin anew")
		requireNotStored(t, db, "not the password")
	})
}

func TestGuessingIsPausedByAddress(t *testing.T) {
	run(t, func(t *testing.T, d *people.Directory, c *clock, _ *sqldb.DB) {
		ctx := t.Context()
		add(t, d, "Ana", people.RoleAgent)
		wrong := func(name, remote string) error {
			_, err := d.SignIn(ctx, name, "not the password", people.From{Remote: remote})
			return err
		}
		for i := range 20 { // one IPv6 customer has 2^64 addresses
			if i == 10 { // an account of one's own does not clear the address
				_, err := d.SignIn(ctx, "ana", good, people.From{Remote: "2001:db8::1"})
				require.NoError(t, err)
			}
			require.ErrorIs(t, wrong(fmt.Sprintf("nobody%d", i), fmt.Sprintf("2001:db8::%x", i)), people.ErrSignIn)
		}
		require.ErrorIs(t, wrong("another", "2001:db8::ffff"), people.ErrPaused)
		_, err := d.SignIn(ctx, "ana", good, people.From{Remote: "2001:db8::1"})
		require.ErrorIs(t, err, people.ErrPaused)
		c.move(30 * time.Second)
		_, err = d.SignIn(ctx, "ana", good, people.From{Remote: "2001:db8::1"})
		require.NoError(t, err)
		require.ErrorIs(t, wrong("another", "2001:db8::ffff"), people.ErrPaused, "an account of one's own does not end the pause")
		require.ErrorIs(t, wrong("another", "2001:db8:0:1::1"), people.ErrSignIn)
		_, err = d.SignIn(ctx, "ana", good, people.From{Remote: "2001:db8:0:1::1"})
		require.NoError(t, err)
	})
}

// Many guesses at once are no way around the limits, from several processes either.
func TestGuessingAtOnce(t *testing.T) {
	run(t, func(t *testing.T, d *people.Directory, c *clock, db *sqldb.DB) {
		ctx := t.Context()
		add(t, d, "Ana", people.RoleAgent)
		elsewhere := people.NewDirectory(db, people.Options{Now: c.now})
		var mu sync.Mutex
		counts := map[string]int{}
		var g errgroup.Group
		for i := range 30 {
			g.Go(func() error {
				at := d
				if i%2 == 0 {
					at = elsewhere
				}
				_, err := at.SignIn(ctx, "ana", "not the password", people.From{Remote: home})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case strings.Contains(fmt.Sprint(err), people.ErrPaused.Error()):
					counts["paused"]++
				case strings.Contains(fmt.Sprint(err), people.ErrSignIn.Error()):
					counts["wrong"]++
				default:
					return fmt.Errorf("unexpected: %w", err)
				}
				return nil
			})
		}
		require.NoError(t, g.Wait())
		require.Equal(t, map[string]int{"wrong": 5, "paused": 25}, counts)
	})
}

// A browser in which somebody has signed in before is let through, whatever others guess; guesses in it
// count for it alone. A new password makes all browsers unknown.
func TestKnownBrowserIsLetThrough(t *testing.T) {
	run(t, func(t *testing.T, d *people.Directory, c *clock, db *sqldb.DB) {
		ctx := t.Context()
		p := add(t, d, "Ana", people.RoleAgent)
		add(t, d, "Ben", people.RoleAgent)
		office, known := people.From{Remote: home, Browser: "some browser"}, people.From{Remote: home, Browser: "ana's browser"}
		_, err := d.SignIn(ctx, "ana", good, known)
		require.NoError(t, err)
		for range 5 {
			_, err = d.SignIn(ctx, "ana", "not the password", office)
			require.ErrorIs(t, err, people.ErrSignIn)
		}
		_, err = d.SignIn(ctx, "ana", good, office)
		require.ErrorIs(t, err, people.ErrPaused)
		_, err = d.SignIn(ctx, "ana", good, known)
		require.NoError(t, err)
		for i := range 15 {
			_, err = d.SignIn(ctx, fmt.Sprint("nobody", i), "not the password", office)
			require.ErrorIs(t, err, people.ErrSignIn)
		}
		_, err = d.SignIn(ctx, "ben", good, office)
		require.ErrorIs(t, err, people.ErrPaused, "the address is locked")
		_, err = d.SignIn(ctx, "ben", good, known)
		require.ErrorIs(t, err, people.ErrPaused, "a browser is known for those who signed in with it")
		_, err = d.SignIn(ctx, "ana", good, known)
		require.NoError(t, err)

		for range 5 {
			_, err = d.SignIn(ctx, "ana", "not the password", known)
			require.ErrorIs(t, err, people.ErrSignIn)
		}
		_, err = d.SignIn(ctx, "ana", good, known)
		require.ErrorIs(t, err, people.ErrPaused)
		elsewhere := people.From{Remote: "198.51.100.7", Browser: "ana's phone"}
		_, err = d.SignIn(ctx, "ana", good, elsewhere)
		require.NoError(t, err)

		locks, err := d.Locks(ctx)
		require.NoError(t, err)
		seen := map[string]people.Lock{}
		for _, l := range locks {
			seen[fmt.Sprintf("%s everyone=%t browser=%t", l.Person, l.Everyone, l.Browser)] = l
			require.Equal(t, home, l.Address)
		}
		require.Len(t, locks, 3, "Ana's name here, her browser, and the address")
		require.EqualValues(t, 5, seen["Ana everyone=false browser=false"].Failures)
		require.Contains(t, seen, " everyone=true browser=false")
		require.NoError(t, d.LiftLock(ctx, p.ID, seen["Ana everyone=false browser=true"].ID))
		_, err = d.SignIn(ctx, "ana", good, known)
		require.NoError(t, err)
		require.ErrorIs(t, d.LiftLock(ctx, p.ID, seen["Ana everyone=false browser=true"].ID), people.ErrNotFound)
		require.NoError(t, d.LiftLock(ctx, people.Operator, seen[" everyone=true browser=false"].ID))
		_, err = d.SignIn(ctx, "ben", good, office)
		require.NoError(t, err)
		notes, err := d.Notes(ctx, people.NoteFilter{}, "", 50)
		require.NoError(t, err)
		require.Contains(t, fmt.Sprint(notes), "lift a lock Ana from "+home)

		link, err := d.Reset(ctx, people.Operator, p.ID)
		require.NoError(t, err)
		_, err = d.Redeem(ctx, link, other)
		require.NoError(t, err)
		for range 5 {
			_, err = d.SignIn(ctx, "ana", "not the password", people.From{Remote: home})
			require.ErrorIs(t, err, people.ErrSignIn)
		}
		_, err = d.SignIn(ctx, "ana", other, known)
		require.ErrorIs(t, err, people.ErrPaused)
		c.move(time.Hour)
		locks, err = d.Locks(ctx)
		require.NoError(t, err)
		require.Empty(t, locks, "what is over is not shown")
	})
}

// Whoever signs in while being disabled is out afterwards, whichever comes first.
func TestDisableAgainstSignIn(t *testing.T) {
	run(t, func(t *testing.T, d *people.Directory, c *clock, db *sqldb.DB) {
		ctx := t.Context()
		p := add(t, d, "Ana", people.RoleAgent)
		for range 3 {
			require.NoError(t, d.Enable(ctx, people.Operator, p.ID))
			var g errgroup.Group
			g.Go(func() error { _, _ = d.SignIn(ctx, "ana", good, people.From{Remote: home}); return nil })
			g.Go(func() error { return d.Disable(ctx, people.Operator, p.ID) })
			require.NoError(t, g.Wait())
			var n int
			require.NoError(t, db.QueryRowContext(ctx, `SELECT COUNT(*) FROM people_sessions`).Scan(&n))
			require.Zero(t, n)
		}
	})
}

// A hash with other parameters still works, and is renewed on the way.
func TestOldHashesAreRenewed(t *testing.T) {
	run(t, func(t *testing.T, d *people.Directory, c *clock, db *sqldb.DB) {
		ctx := t.Context()
		add(t, d, "Ana", people.RoleAgent)
		stored := func() (hash string) {
			require.NoError(t, db.QueryRowContext(ctx, `SELECT password FROM people`).Scan(&hash))
			return hash
		}
		require.True(t, strings.HasPrefix(stored(), "$argon2id$v=19$m=19456,t=2,p=1$"), stored())
		_, err := db.ExecContext(ctx, `UPDATE people SET password = $1`, oldHash())
		require.NoError(t, err)
		signIn(t, d, "ana", good)
		require.True(t, strings.HasPrefix(stored(), "$argon2id$v=19$m=19456,t=2,p=1$"), stored())
		signIn(t, d, "ana", good)
		_, err = db.ExecContext(ctx, `UPDATE people SET password = 'garbage'`)
		require.NoError(t, err)
		_, err = d.SignIn(ctx, "ana", good, people.From{Remote: home})
		require.Error(t, err)
		require.NotErrorIs(t, err, people.ErrSignIn)
	})
}

func oldHash() string {
	enc := base64.RawStdEncoding
	salt := make([]byte, 16)
	return "$argon2id$v=19$m=64,t=1,p=1$" + enc.EncodeToString(salt) + "$" + enc.EncodeToString(argon2.IDKey([]byte(good), salt, 1, 64, 1, 32))
}
