package cases

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"faqbot/knowledge"
	"faqbot/knowledge/sqldb"
)

// A State is how far a run is.
type State string

const (
	Waiting     State = "waiting" // for its turn: one run goes on at a time
	Running     State = "running"
	Interrupted State = "interrupted" // the service ended; it can be resumed
	Canceled    State = "canceled"
	Failed      State = "failed"
	Done        State = "done"
)

// A Run is a run of an affiliate's cases.
type Run struct {
	ID        string
	Affiliate knowledge.AffiliateID
	State     State
	By        string
	Journal   string // what its results are of
	Total     int    // cases
	Asked     int    // cases that have a result
	Revision  knowledge.Revision
	Summary   string // JSON, of a run that is done
	Problem   string // why it failed
	StartedAt time.Time
	EndedAt   time.Time
	beatAt    time.Time
}

// A Result is what came of one case.
type Result struct{ Case, Conversation, Body string }

const (
	maxRuns = 50               // of an affiliate that are kept
	silence = 30 * time.Second // after which a running run is taken for interrupted
)

const runColumns = `id, affiliate, state, started_by, journal, total, revision, summary, problem, started_at, ended_at, beat_at,
	(SELECT COUNT(*) FROM case_results r WHERE r.run_id = case_runs.id)`

func selectRuns(ctx context.Context, r sqldb.Reader, now time.Time, where string, args ...any) (list []Run, err error) {
	err = sqldb.Each(ctx, r, func(rows *sql.Rows) error {
		var one Run
		var started, ended, beat int64
		err := rows.Scan(&one.ID, &one.Affiliate, &one.State, &one.By, &one.Journal, &one.Total, &one.Revision, &one.Summary, &one.Problem, &started, &ended, &beat, &one.Asked)
		one.StartedAt, one.EndedAt, one.beatAt = sqldb.Time(started), sqldb.Time(ended), sqldb.Time(beat)
		if one.State == Running && now.Sub(one.beatAt) > silence {
			one.State = Interrupted
		}
		list = append(list, one)
		return err
	}, `SELECT `+runColumns+` FROM case_runs WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	return list, nil
}

// Runs reads an affiliate's runs, the newest first.
func (s *Store) Runs(ctx context.Context, a knowledge.AffiliateID) ([]Run, error) {
	return selectRuns(ctx, s.db, time.Now(), `affiliate = $1 ORDER BY started_at DESC, id DESC`, a)
}

// Run reads one run of an affiliate's, or ErrNotFound.
func (s *Store) Run(ctx context.Context, a knowledge.AffiliateID, id string) (Run, error) {
	list, err := selectRuns(ctx, s.db, time.Now(), `affiliate = $1 AND id = $2`, a, id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("run %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return Run{}, err
	}
	return list[0], nil
}

// Results reads the results of a run.
func (s *Store) Results(ctx context.Context, run string) (list []Result, err error) {
	err = sqldb.Each(ctx, s.db, func(rows *sql.Rows) error {
		var one Result
		err := rows.Scan(&one.Case, &one.Conversation, &one.Body)
		list = append(list, one)
		return err
	}, `SELECT case_id, conversation_id, body FROM case_results WHERE run_id = $1`, run)
	if err != nil {
		return nil, fmt.Errorf("read the results of a run: %w", err)
	}
	return list, nil
}

// Start makes a run that waits for its turn, and removes the oldest ones. While another of the affiliate's waits or
// goes on, that one is returned instead.
func (s *Store) Start(ctx context.Context, a knowledge.AffiliateID, by string, total int) (id string, err error) {
	now := time.Now()
	err = s.db.InTx(ctx, func(tx *sql.Tx) error {
		list, err := selectRuns(ctx, tx, now, `affiliate = $1 ORDER BY started_at DESC, id DESC`, a)
		if err != nil {
			return err
		}
		for i, r := range list {
			if r.State == Waiting || r.State == Running {
				id = r.ID
				return nil
			}
			if i+1 >= maxRuns {
				if err := drop(ctx, tx, r.ID); err != nil {
					return err
				}
			}
		}
		id = sqldb.NewID(now)
		_, err = tx.ExecContext(ctx, `INSERT INTO case_runs (id, affiliate, state, started_by, total, started_at) VALUES ($1, $2, $3, $4, $5, $6)`, id, a, Waiting, by, total, now.UnixMilli())
		return err
	})
	return id, err
}

func drop(ctx context.Context, tx *sql.Tx, run string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM case_results WHERE run_id = $1`, run)
	if err == nil {
		_, err = tx.ExecContext(ctx, `DELETE FROM case_runs WHERE id = $1`, run)
	}
	if err != nil {
		return fmt.Errorf("remove a run: %w", err)
	}
	return nil
}

// Claim takes the run that waits longest, unless another goes on; ok is false if there is none.
func (s *Store) Claim(ctx context.Context) (r Run, ok bool, err error) {
	now := time.Now()
	var id string
	err = s.db.QueryRowContext(ctx, `SELECT id FROM case_runs WHERE state = $1 ORDER BY started_at, id LIMIT 1`, Waiting).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	if err != nil {
		return r, false, fmt.Errorf("look for a run: %w", err)
	}
	n, err := s.db.Change(ctx, `UPDATE case_runs SET state = $1, beat_at = $2 WHERE id = $3 AND state = $4
		AND NOT EXISTS (SELECT 1 FROM case_runs o WHERE o.state = $1 AND o.beat_at >= $5)`, Running, now.UnixMilli(), id, Waiting, now.Add(-silence).UnixMilli())
	if err != nil || n == 0 {
		return r, false, err
	}
	list, err := selectRuns(ctx, s.db, now, `id = $1`, id)
	if err != nil || len(list) == 0 {
		return r, false, err
	}
	return list[0], true, nil
}

// Begin says what a run's results are of. Those of something else are dropped.
func (s *Store) Begin(ctx context.Context, run Run, journal string, revision knowledge.Revision, total int) ([]Result, error) {
	err := s.db.InTx(ctx, func(tx *sql.Tx) error {
		if run.Journal != journal {
			if _, err := tx.ExecContext(ctx, `DELETE FROM case_results WHERE run_id = $1`, run.ID); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE case_runs SET journal = $1, revision = $2, total = $3 WHERE id = $4`, journal, revision, total, run.ID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("begin a run: %w", err)
	}
	return s.Results(ctx, run.ID)
}

// Save keeps results and gives a sign of life. It reports whether the run is to go on: somebody may have canceled it.
func (s *Store) Save(ctx context.Context, run string, results []Result) (on bool, err error) {
	err = s.db.InTx(ctx, func(tx *sql.Tx) error {
		changed, err := tx.ExecContext(ctx, `UPDATE case_runs SET beat_at = $1 WHERE id = $2 AND state = $3`, time.Now().UnixMilli(), run, Running)
		if err != nil {
			return err
		}
		n, err := changed.RowsAffected()
		if on = n > 0; err != nil || !on {
			return err
		}
		for _, r := range results {
			// The case may have gone with its customer since it was asked.
			if _, err := tx.ExecContext(ctx, `INSERT INTO case_results (run_id, case_id, conversation_id, body) SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT)
				WHERE CAST($3 AS TEXT) = '' OR EXISTS (SELECT 1 FROM cases WHERE id = $2 AND conversation_id = $3)
				ON CONFLICT (run_id, case_id) DO NOTHING`, run, r.Case, r.Conversation, r.Body); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("keep the results of a run: %w", err)
	}
	return on, nil
}

// End ends a run that goes on.
func (s *Store) End(ctx context.Context, run string, state State, summary, problem string) error {
	_, err := s.db.Change(ctx, `UPDATE case_runs SET state = $1, summary = $2, problem = $3, ended_at = $4 WHERE id = $5 AND state = $6`,
		state, summary, problem, time.Now().UnixMilli(), run, Running)
	return err
}

// Cancel cancels a run that is not over.
func (s *Store) Cancel(ctx context.Context, a knowledge.AffiliateID, id string) error {
	_, err := s.db.Change(ctx, `UPDATE case_runs SET state = $1, ended_at = $2 WHERE affiliate = $3 AND id = $4 AND state IN ($5, $6, $7)`,
		Canceled, time.Now().UnixMilli(), a, id, Waiting, Running, Interrupted)
	return err
}

// Resume lets an interrupted run wait for its turn. What was asked is not asked again, unless the cases or the FAQ have
// changed.
func (s *Store) Resume(ctx context.Context, a knowledge.AffiliateID, id string) error {
	_, err := s.db.Change(ctx, `UPDATE case_runs SET state = $1 WHERE affiliate = $2 AND id = $3 AND (state = $4 OR state = $5 AND beat_at < $6)`,
		Waiting, a, id, Interrupted, Running, time.Now().Add(-silence).UnixMilli())
	return err
}

// Interrupt says that runs of a process that ended do not go on: all of them, for a service that is known to be alone.
func (s *Store) Interrupt(ctx context.Context) error {
	_, err := s.db.Change(ctx, `UPDATE case_runs SET state = $1 WHERE state = $2`, Interrupted, Running)
	return err
}
