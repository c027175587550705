-- +goose Up
-- Questions that were not answered well, and the gaps that they are one of. No column holds words: a question's are
-- those of its turn.
CREATE TABLE gaps (
    id         TEXT PRIMARY KEY,
    affiliate  TEXT NOT NULL,
    space      TEXT NOT NULL,             -- the vector space of sum
    sum        BYTEA NOT NULL,            -- of the unit vectors of its questions, float32
    size       BIGINT NOT NULL,           -- questions
    cost_rank  DOUBLE PRECISION NOT NULL, -- log2 of what they cost, those of 30 days later twice as much
    tally      TEXT NOT NULL,             -- JSON
    example    TEXT NOT NULL,             -- the turn of a question that is much like all of them
    example_like DOUBLE PRECISION NOT NULL, -- its cosine to those before it
    state      TEXT NOT NULL,             -- open, answered, out_of_scope, ignored
    draft      TEXT NOT NULL DEFAULT '',  -- the upload that answers it once it is published
    entry      TEXT NOT NULL DEFAULT '',  -- the entry that answers it
    answered   BIGINT NOT NULL DEFAULT 0, -- questions like it that the entry has answered since
    decided_by TEXT NOT NULL DEFAULT '',
    decided_at BIGINT NOT NULL DEFAULT 0,
    last_at    BIGINT NOT NULL            -- of its newest question
);
CREATE INDEX gaps_ranked ON gaps (affiliate, state, cost_rank);
CREATE INDEX gaps_entry ON gaps (entry) WHERE entry <> '';
CREATE TABLE gap_questions (
    turn_id         TEXT PRIMARY KEY, -- the turn that did not answer it, or answered it wrongly
    gap_id          TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    episode_id      TEXT NOT NULL,
    kind            TEXT NOT NULL,
    channel         TEXT NOT NULL,
    locale          TEXT NOT NULL,
    entry           TEXT NOT NULL,             -- the nearest one
    probability     DOUBLE PRECISION NOT NULL, -- that it was meant
    chosen          TEXT NOT NULL DEFAULT '',  -- the entry that the customer tapped, when they were asked back
    vector          BYTEA NOT NULL,            -- a byte for each dimension
    at              BIGINT NOT NULL
);
CREATE INDEX gap_questions_gap ON gap_questions (gap_id, at);
CREATE INDEX gap_questions_conversation ON gap_questions (conversation_id, at);
-- Until when events were looked through: one row.
CREATE TABLE gap_progress (
    id BIGINT PRIMARY KEY,
    at BIGINT NOT NULL
);
INSERT INTO gap_progress (id, at) VALUES (1, 0);

-- +goose Down
DROP TABLE gap_progress;
DROP TABLE gap_questions;
DROP TABLE gaps;
