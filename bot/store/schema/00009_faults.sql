-- +goose Up
-- A post that fails by its own fault, or may have ended the process, is tried again later while others go on.
ALTER TABLE inbox ADD COLUMN attempt BIGINT NOT NULL DEFAULT 0;
ALTER TABLE inbox ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE inbox ADD COLUMN reason TEXT NOT NULL DEFAULT ''; -- of the last failure
ALTER TABLE inbox ADD COLUMN replay TEXT NOT NULL DEFAULT ''; -- read again from rejects: whole, or a part of it was unreadable
CREATE INDEX inbox_due ON inbox (due_at) WHERE due_at > 0;
-- The whole post of which body is a part that could not be read, empty if body is the whole.
ALTER TABLE rejects ADD COLUMN post BYTEA;
-- Times in which a network did not carry out what we sent, for an account.
CREATE TABLE incidents (
    id        TEXT PRIMARY KEY,
    channel   TEXT NOT NULL,
    account   TEXT NOT NULL,
    code      TEXT NOT NULL,              -- of the last failure
    failures  BIGINT NOT NULL,            -- in a row, of any reply
    affected  BIGINT NOT NULL DEFAULT 0,  -- replies that were held up
    began_at  BIGINT NOT NULL,
    probe_at  BIGINT NOT NULL,            -- the next reply may be tried then
    ended_at  BIGINT NOT NULL DEFAULT 0   -- 0: it lasts
);
CREATE UNIQUE INDEX incidents_open ON incidents (channel, account) WHERE ended_at = 0;
CREATE INDEX incidents_account ON incidents (channel, account, began_at);
