-- +goose Up
-- An affiliate's test cases, and the runs of them. Only the bodies of cases and results hold words; conversation_id says
-- of which customer's conversation they are, '' if somebody of the affiliate's wrote them.
CREATE TABLE cases (
    affiliate       TEXT NOT NULL,
    id              TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    body            TEXT NOT NULL,   -- JSON, a row of a suite
    added_by        TEXT NOT NULL,
    at              BIGINT NOT NULL, -- when it was asked
    PRIMARY KEY (affiliate, id)
);
CREATE INDEX cases_conversation ON cases (conversation_id) WHERE conversation_id <> '';
CREATE TABLE case_runs (
    id         TEXT PRIMARY KEY,
    affiliate  TEXT NOT NULL,
    state      TEXT NOT NULL,             -- waiting, running, interrupted, canceled, failed, done
    started_by TEXT NOT NULL,
    journal    TEXT NOT NULL DEFAULT '',  -- what the results are of: a digest
    total      BIGINT NOT NULL,           -- cases
    revision   BIGINT NOT NULL DEFAULT 0, -- the publish that was asked
    summary    TEXT NOT NULL DEFAULT '',  -- JSON: the figures, without cases
    problem    TEXT NOT NULL DEFAULT '',  -- why it failed
    started_at BIGINT NOT NULL,
    beat_at    BIGINT NOT NULL DEFAULT 0, -- the last sign of life
    ended_at   BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX case_runs_affiliate ON case_runs (affiliate, started_at);
CREATE TABLE case_results (
    run_id          TEXT NOT NULL,
    case_id         TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    body            TEXT NOT NULL, -- JSON
    PRIMARY KEY (run_id, case_id)
);
CREATE INDEX case_results_conversation ON case_results (conversation_id) WHERE conversation_id <> '';

-- +goose Down
DROP TABLE case_results;
DROP TABLE case_runs;
DROP TABLE cases;
