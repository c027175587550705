package people

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"faqbot/knowledge/sqldb"
)

const personColumns = `p.id, p.name, p.role, p.affiliates, p.password, p.created_at, p.disabled, p.email, p.notify`

// scanPerson reads a row of personColumns and then what goes to more.
func scanPerson(scan func(dest ...any) error, more ...any) (p Person, password string, err error) {
	var affiliates string
	var created int64
	err = scan(append([]any{&p.ID, &p.Name, &p.Role, &affiliates, &password, &created, &p.Disabled, &p.Email, &p.Notify}, more...)...)
	if err == nil {
		err = json.Unmarshal([]byte(affiliates), &p.Affiliates)
	}
	p.CreatedAt, p.Invited = sqldb.Time(created), password == ""
	return p, password, err
}

// selectPerson finds by a unique column, which is one of ours.
func selectPerson(ctx context.Context, r sqldb.Reader, column, value string) (Person, string, error) {
	p, password, err := scanPerson(r.QueryRowContext(ctx, `SELECT `+personColumns+` FROM people p WHERE `+column+` = $1`, value).Scan)
	return p, password, notFound(err)
}

func selectPeople(ctx context.Context, r sqldb.Reader) (list []Person, err error) {
	err = sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		p, _, err := scanPerson(rows.Scan)
		list = append(list, p)
		return err
	}, `SELECT `+personColumns+` FROM people p`)
	// Here, because databases differ in their collations.
	slices.SortFunc(list, func(a, b Person) int { return cmp.Or(cmp.Compare(fold(a.Name), fold(b.Name)), cmp.Compare(a.ID, b.ID)) })
	return list, err
}

func insertPerson(ctx context.Context, tx *sql.Tx, p Person, password string) error {
	affiliates, err := json.Marshal(p.Affiliates)
	if err != nil {
		return err
	}
	return one(tx.ExecContext(ctx, `INSERT INTO people (id, name, name_key, role, affiliates, password, created_at, disabled, email)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (name_key) DO NOTHING`,
		string(p.ID), p.Name, fold(p.Name), string(p.Role), string(affiliates), password, sqldb.Millis(p.CreatedAt), p.Disabled, p.Email))(ErrTaken)
}

// updatePerson writes what may change; a password has its own statement.
func updatePerson(ctx context.Context, tx *sql.Tx, p Person) error {
	affiliates, err := json.Marshal(p.Affiliates)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE people SET role = $1, affiliates = $2, disabled = $3, email = $4, notify = $5 WHERE id = $6`,
		string(p.Role), string(affiliates), p.Disabled, p.Email, p.Notify, string(p.ID))
	return err
}

// updatePassword replaces the password was; something else has changed it if the error is ErrNotFound.
func updatePassword(ctx context.Context, tx *sql.Tx, id PersonID, was, password string) error {
	return one(tx.ExecContext(ctx, `UPDATE people SET password = $1 WHERE id = $2 AND password = $3 AND NOT disabled`,
		password, string(id), was))(ErrNotFound)
}

// lockGate makes whoever else takes it wait for tx to end.
func lockGate(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `UPDATE people_gate SET id = id`)
	return err
}

// countAdmins counts those who can sign in.
func countAdmins(ctx context.Context, r sqldb.Reader) (n int, err error) {
	err = r.QueryRowContext(ctx, `SELECT COUNT(*) FROM people WHERE role = $1 AND NOT disabled AND password <> ''`, string(RoleAdmin)).Scan(&n)
	return n, err
}

func upsertInvitation(ctx context.Context, tx *sql.Tx, id PersonID, hash string, expires time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO people_invitations (person_id, token_hash, expires_at) VALUES ($1, $2, $3)
		ON CONFLICT (person_id) DO UPDATE SET token_hash = excluded.token_hash, expires_at = excluded.expires_at`,
		string(id), hash, sqldb.Millis(expires))
	return err
}

func selectInvitation(ctx context.Context, r sqldb.Reader, hash string, now time.Time) (id PersonID, err error) {
	err = r.QueryRowContext(ctx, `SELECT person_id FROM people_invitations WHERE token_hash = $1 AND expires_at > $2`,
		hash, sqldb.Millis(now)).Scan(&id)
	return id, notFound(err)
}

// selectFirstAdmin returns the digest of the first admin's link and when it ends.
func selectFirstAdmin(ctx context.Context, r sqldb.Reader) (hash string, ends time.Time, err error) {
	var ms int64
	err = r.QueryRowContext(ctx, `SELECT token_hash, expires_at FROM people_invitations WHERE person_id = $1`, string(nobodyYet)).Scan(&hash, &ms)
	return hash, sqldb.Time(ms), notFound(err)
}

// takeInvitation uses the link up: of two who hold it, one gets ErrToken.
func takeInvitation(ctx context.Context, tx *sql.Tx, hash string, now time.Time) (id PersonID, err error) {
	err = tx.QueryRowContext(ctx, `DELETE FROM people_invitations WHERE token_hash = $1 AND expires_at > $2 RETURNING person_id`,
		hash, sqldb.Millis(now)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrToken
	}
	return id, err
}

func deleteInvitation(ctx context.Context, tx *sql.Tx, id PersonID) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM people_invitations WHERE person_id = $1`, string(id))
	return err
}

// one turns a statement that found no row into the error none.
func one(result sql.Result, err error) func(none error) error {
	return func(none error) error {
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return firstOf(err, none)
		}
		return nil
	}
}

// notFound turns the absence of a row into ErrNotFound.
func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}
