package people

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"faqbot/knowledge/sqldb"
)

func insertSession(ctx context.Context, tx *sql.Tx, s Session, person PersonID, hash string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO people_sessions (token_hash, id, person_id, remote, created_at, seen_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		hash, s.ID, string(person), s.Remote, sqldb.Millis(s.CreatedAt), sqldb.Millis(s.SeenAt), sqldb.Millis(s.SeenAt.Add(sessionLasts)))
	return err
}

// selectSession returns who holds the session, and when it was last seen.
func selectSession(ctx context.Context, r sqldb.Reader, hash string, now time.Time) (p Person, seen time.Time, err error) {
	var ms int64
	p, _, err = scanPerson(r.QueryRowContext(ctx, `SELECT `+personColumns+`, s.seen_at FROM people_sessions s JOIN people p ON p.id = s.person_id
		WHERE s.token_hash = $1 AND s.expires_at > $2 AND NOT p.disabled`, hash, sqldb.Millis(now)).Scan, &ms)
	return p, sqldb.Time(ms), notFound(err)
}

func touchSession(ctx context.Context, tx *sql.Tx, hash string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE people_sessions SET seen_at = $1, expires_at = $2 WHERE token_hash = $3`,
		sqldb.Millis(now), sqldb.Millis(now.Add(sessionLasts)), hash)
	return err
}

func selectSessions(ctx context.Context, r sqldb.Reader, id PersonID, now time.Time) (list []Session, err error) {
	err = sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var s Session
		var created, seen int64
		err := rows.Scan(&s.ID, &s.hash, &s.Remote, &created, &seen)
		s.CreatedAt, s.SeenAt = sqldb.Time(created), sqldb.Time(seen)
		list = append(list, s)
		return err
	}, `SELECT id, token_hash, remote, created_at, seen_at FROM people_sessions WHERE person_id = $1 AND expires_at > $2
		ORDER BY seen_at DESC, id`, string(id), sqldb.Millis(now))
	return list, err
}

func deleteSession(ctx context.Context, tx *sql.Tx, person PersonID, id string) error {
	return one(tx.ExecContext(ctx, `DELETE FROM people_sessions WHERE person_id = $1 AND id = $2`, string(person), id))(ErrNotFound)
}

func deleteSessionByToken(ctx context.Context, tx *sql.Tx, hash string) (id PersonID, err error) {
	err = tx.QueryRowContext(ctx, `DELETE FROM people_sessions WHERE token_hash = $1 RETURNING person_id`, hash).Scan(&id)
	return id, notFound(err)
}

func deleteSessions(ctx context.Context, tx *sql.Tx, id PersonID) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM people_sessions WHERE person_id = $1`, string(id))
	return err
}

func deleteOtherSessions(ctx context.Context, tx *sql.Tx, id PersonID, hash string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM people_sessions WHERE person_id = $1 AND token_hash <> $2`, string(id), hash)
	return err
}

// deleteExpired forgets what is over. On Postgres it leaves alone what others hold.
func deleteExpired(ctx context.Context, tx *sql.Tx, skipLocked string, now time.Time) error {
	for _, query := range []string{
		`DELETE FROM people_sessions WHERE token_hash IN (SELECT token_hash FROM people_sessions WHERE expires_at <= $1 ` + skipLocked + `)`,
		`DELETE FROM people_invitations WHERE token_hash IN (SELECT token_hash FROM people_invitations WHERE expires_at <= $1 ` + skipLocked + `)`,
	} {
		if _, err := tx.ExecContext(ctx, query, sqldb.Millis(now)); err != nil {
			return err
		}
	}
	return nil
}

// lockAttempts returns what is known of a subject and keeps others from changing it until tx ends.
func lockAttempts(ctx context.Context, tx *sql.Tx, s subject, now time.Time) (failures int64, last, pausedTo time.Time, err error) {
	var lastMs, pausedMs int64
	err = tx.QueryRowContext(ctx, `INSERT INTO people_attempts (subject, failures, last_at, paused_to, kind, person_id, remote) VALUES ($1, 0, $2, 0, $3, $4, $5)
		ON CONFLICT (subject) DO UPDATE SET failures = people_attempts.failures RETURNING failures, last_at, paused_to`,
		s.key, sqldb.Millis(now), s.kind, string(s.person), s.remote).Scan(&failures, &lastMs, &pausedMs)
	return failures, sqldb.Time(lastMs), sqldb.Time(pausedMs), err
}

func updateAttempts(ctx context.Context, tx *sql.Tx, subject string, failures int64, last, pausedTo time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE people_attempts SET failures = $1, last_at = $2, paused_to = $3 WHERE subject = $4`,
		failures, sqldb.Millis(last), sqldb.Millis(pausedTo), subject)
	return err
}

func deleteAttempts(ctx context.Context, tx *sql.Tx, subject string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM people_attempts WHERE subject = $1`, subject)
	return err
}

// deleteAttemptsAt forgets the guesses at a person, wherever they came from.
func deleteAttemptsAt(ctx context.Context, tx *sql.Tx, id PersonID) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM people_attempts WHERE person_id = $1`, string(id))
	return err
}

const lockColumns = `a.subject, a.kind, a.remote, a.failures, a.paused_to, COALESCE(p.name, '')
	FROM people_attempts a LEFT JOIN people p ON p.id = a.person_id`

func scanLock(scan func(...any) error, now time.Time) (l Lock, err error) {
	var kind string
	var until int64
	err = scan(&l.ID, &kind, &l.Address, &l.Failures, &until, &l.Person)
	l.Everyone, l.Browser, l.Wait = kind == kindAddress, kind == kindBrowser, sqldb.Time(until).Sub(now)
	return l, err
}

func selectLocks(ctx context.Context, r sqldb.Reader, now time.Time, limit int) (list []Lock, err error) {
	err = sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		l, err := scanLock(rows.Scan, now)
		list = append(list, l)
		return err
	}, `SELECT `+lockColumns+` WHERE a.paused_to > $1 ORDER BY a.paused_to DESC, a.subject LIMIT $2`, sqldb.Millis(now), limit)
	return list, err
}

func selectLock(ctx context.Context, r sqldb.Reader, id string, now time.Time) (Lock, error) {
	l, err := scanLock(r.QueryRowContext(ctx, `SELECT `+lockColumns+` WHERE a.subject = $1 AND a.paused_to > $2`, id, sqldb.Millis(now)).Scan, now)
	return l, notFound(err)
}

// knownBrowser reports whether the person has signed in with the browser since then.
func knownBrowser(ctx context.Context, r sqldb.Reader, id PersonID, hash string, since time.Time) (known bool, err error) {
	err = r.QueryRowContext(ctx, `SELECT COUNT(*) > 0 FROM people_browsers WHERE person_id = $1 AND token_hash = $2 AND seen_at > $3`,
		string(id), hash, sqldb.Millis(since)).Scan(&known)
	return known, err
}

// rememberBrowser makes the browser known, and forgets those that were not used for longest.
func rememberBrowser(ctx context.Context, tx *sql.Tx, id PersonID, hash string, now time.Time) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO people_browsers (token_hash, person_id, seen_at) VALUES ($1, $2, $3)
		ON CONFLICT (person_id, token_hash) DO UPDATE SET seen_at = excluded.seen_at`, hash, string(id), sqldb.Millis(now)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM people_browsers WHERE person_id = $1 AND token_hash NOT IN
		(SELECT token_hash FROM people_browsers WHERE person_id = $1 ORDER BY seen_at DESC, token_hash LIMIT $2)`, string(id), maxBrowsers)
	return err
}

func deleteBrowsers(ctx context.Context, tx *sql.Tx, id PersonID) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM people_browsers WHERE person_id = $1`, string(id))
	return err
}

// forgetAttempts forgets subjects that nobody has tried since. On Postgres it leaves alone what others hold.
func forgetAttempts(ctx context.Context, tx *sql.Tx, skipLocked string, since time.Time) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM people_attempts WHERE subject IN
		(SELECT subject FROM people_attempts WHERE last_at < $1 `+skipLocked+`)`, sqldb.Millis(since))
	return err
}

func insertKey(ctx context.Context, tx *sql.Tx, k APIKey, hash string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO people_api_keys (id, key_hash, affiliate, label, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		k.ID, hash, string(k.Affiliate), k.Label, string(k.CreatedBy), sqldb.Millis(k.CreatedAt))
	return err
}

func selectKeys(ctx context.Context, r sqldb.Reader) (list []APIKey, err error) {
	err = sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var k APIKey
		var created, used, revoked int64
		err := rows.Scan(&k.ID, &k.Affiliate, &k.Label, &k.CreatedBy, &created, &used, &revoked)
		k.CreatedAt, k.UsedAt, k.RevokedAt = sqldb.Time(created), sqldb.Time(used), sqldb.Time(revoked)
		list = append(list, k)
		return err
	}, `SELECT id, affiliate, label, created_by, created_at, used_at, revoked_at FROM people_api_keys ORDER BY created_at DESC, id`)
	return list, err
}

func selectKey(ctx context.Context, r sqldb.Reader, hash string) (k APIKey, err error) {
	var used int64
	err = r.QueryRowContext(ctx, `SELECT id, affiliate, used_at FROM people_api_keys WHERE key_hash = $1 AND revoked_at = 0`, hash).
		Scan(&k.ID, &k.Affiliate, &used)
	k.UsedAt = sqldb.Time(used)
	return k, notFound(err)
}

func touchKey(ctx context.Context, tx *sql.Tx, id string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE people_api_keys SET used_at = $1 WHERE id = $2`, sqldb.Millis(now), id)
	return err
}

func revokeKey(ctx context.Context, tx *sql.Tx, id string, now time.Time) (k APIKey, err error) {
	err = tx.QueryRowContext(ctx, `UPDATE people_api_keys SET revoked_at = $1 WHERE id = $2 AND revoked_at = 0 RETURNING affiliate, label`,
		sqldb.Millis(now), id).Scan(&k.Affiliate, &k.Label)
	return k, notFound(err)
}

func insertNote(ctx context.Context, tx *sql.Tx, id string, n Note) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO people_audit (id, at, actor, action, object) VALUES ($1, $2, $3, $4, $5)`,
		id, sqldb.Millis(n.At), string(n.By), string(n.Action), n.Object)
	return err
}

func selectNotes(ctx context.Context, r sqldb.Reader, f NoteFilter, before string, limit int) (list []Note, err error) {
	err = sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var n Note
		var at int64
		err := rows.Scan(&n.ID, &at, &n.By, &n.Action, &n.Object, &n.ByName)
		n.At = sqldb.Time(at)
		list = append(list, n)
		return err
	}, `SELECT a.id, a.at, a.actor, a.action, a.object, COALESCE(p.name, a.actor) FROM people_audit a LEFT JOIN people p ON p.id = a.actor
		WHERE ($1 = '' OR a.id < $1) AND ($3 = '' OR a.actor = $3) AND ($4 = '' OR a.action = $4) AND (CAST($5 AS BIGINT) = 0 OR a.at >= CAST($5 AS BIGINT)) AND (CAST($6 AS BIGINT) = 0 OR a.at < CAST($6 AS BIGINT))
		ORDER BY a.id DESC LIMIT $2`, before, limit, string(f.By), string(f.Action), sqldb.Millis(f.From), sqldb.Millis(f.To))
	return list, err
}

func selectNoted(ctx context.Context, r sqldb.Reader) (who []Person, actions []Action, err error) {
	err = sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var p Person
		err := rows.Scan(&p.ID, &p.Name)
		who = append(who, p)
		return err
	}, `SELECT DISTINCT a.actor, COALESCE(p.name, a.actor) FROM people_audit a LEFT JOIN people p ON p.id = a.actor`)
	if err == nil {
		err = sqldb.Each(ctx, r, func(rows *sql.Rows) error {
			var action Action
			err := rows.Scan(&action)
			actions = append(actions, action)
			return err
		}, `SELECT DISTINCT action FROM people_audit`)
	}
	slices.SortFunc(who, func(a, b Person) int { return cmp.Or(cmp.Compare(fold(a.Name), fold(b.Name)), cmp.Compare(a.ID, b.ID)) })
	slices.Sort(actions)
	return who, actions, err
}

// A secretRow is a signing key, or a sealed list of them, as the database keeps it.
type secretRow struct {
	value     []byte
	sealed    bool
	createdAt int64 // Unix milliseconds
}

func selectSecrets(ctx context.Context, r sqldb.Reader) (map[string]secretRow, error) {
	all := map[string]secretRow{}
	return all, sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var name string
		var row secretRow
		err := rows.Scan(&name, &row.value, &row.sealed, &row.createdAt)
		all[name] = row
		return err
	}, `SELECT name, value, sealed, created_at FROM people_secrets`)
}

func upsertSecret(ctx context.Context, tx *sql.Tx, name string, row secretRow) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO people_secrets (name, value, sealed, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value, sealed = excluded.sealed`,
		name, row.value, row.sealed, row.createdAt)
	return err
}

func deleteSecrets(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM people_secrets`)
	return err
}
