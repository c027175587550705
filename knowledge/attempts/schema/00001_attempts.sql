-- +goose Up
-- Work that has no row of its own in a queue, from before an attempt begins until it has succeeded. What is still
-- here when nobody works on it failed, or ended the process.
CREATE TABLE attempts (
    kind    TEXT NOT NULL, -- of work: index, vectors, sweep
    id      TEXT NOT NULL, -- what it is done to
    attempt BIGINT NOT NULL,
    due_at  BIGINT NOT NULL, -- no attempt before then
    reason  TEXT NOT NULL DEFAULT '', -- why the last one failed, '' if it did not say
    PRIMARY KEY (kind, id)
);
