-- +goose Up
-- The conversations of customers who were erased. A backup from before may have them: a start erases them again.
CREATE TABLE erasures (
    conversation_id TEXT PRIMARY KEY,
    at              BIGINT NOT NULL
);
-- Everything said until then has been emptied, since it was kept for long enough.
ALTER TABLE contacts ADD COLUMN emptied_to BIGINT NOT NULL DEFAULT 0;
