package sqldb_test

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/sqldb"
	"faqbot/knowledge/sqldb/sqldbtest"
)

// Statements are kept from one use to the next; nobody notices.
func TestKeptStatements(t *testing.T) {
	sqldbtest.Run(t, numbers(), func(t *testing.T, db *sqldb.DB) {
		require.NoError(t, db.InTx(t.Context(), func(tx *sql.Tx) error {
			for n := range 9 {
				if _, err := tx.ExecContext(t.Context(), `INSERT INTO numbers (n) VALUES ($1)`, n); err != nil {
					return err
				}
			}
			return nil
		}))
		count := func(from int) (n int) {
			require.NoError(t, sqldb.Each(t.Context(), db, func(r *sql.Rows) error { n++; return nil }, `SELECT n FROM numbers WHERE n >= $1`, from))
			return n
		}
		require.Equal(t, []int{9, 4, 9}, []int{count(0), count(5), count(0)}, "each use has its own arguments")

		// One that failed works again.
		insert := func(n int) error {
			return db.InTx(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.ExecContext(t.Context(), `INSERT INTO numbers (n) VALUES ($1)`, n)
				return err
			})
		}
		require.Error(t, insert(0))
		require.NoError(t, insert(9))

		// A table that has changed is read as it is now.
		all := func() (columns []string) {
			require.NoError(t, sqldb.Each(t.Context(), db, func(r *sql.Rows) (err error) { columns, err = r.Columns(); return err }, `SELECT * FROM numbers`))
			return columns
		}
		require.Equal(t, []string{"n"}, all())
		if !db.Postgres() { // there the server says so, and asks to prepare anew
			require.NoError(t, db.InTx(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.ExecContext(t.Context(), `ALTER TABLE numbers ADD COLUMN m BIGINT NOT NULL DEFAULT 0`)
				return err
			}))
			require.Equal(t, []string{"n", "m"}, all())
		}
	})
}

// The same statement can be in use twice within a transaction, and there may be any number of others.
func TestKeptStatementsInUse(t *testing.T) {
	db := sqldbtest.Open(t, sqldbtest.SQLite(t), numbers()...)
	require.NoError(t, db.InTx(t.Context(), func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(t.Context(), `INSERT INTO numbers (n) VALUES (1), (2), (3)`); err != nil {
			return err
		}
		pairs := 0
		const query = `SELECT n FROM numbers`
		if err := sqldb.Each(t.Context(), tx, func(*sql.Rows) error {
			return sqldb.Each(t.Context(), tx, func(*sql.Rows) error { pairs++; return nil }, query)
		}, query); err != nil {
			return err
		}
		require.Equal(t, 9, pairs)
		for i := range 1000 {
			var n int
			if err := tx.QueryRowContext(t.Context(), fmt.Sprintf(`SELECT n + %d FROM numbers WHERE n = $1`, i), 1).Scan(&n); err != nil {
				return err
			}
			require.Equal(t, 1+i, n)
		}
		return nil
	}))
}
