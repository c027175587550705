-- +goose Up
-- Files that customers sent and that are to be fetched, and what is said in them transcribed.
CREATE TABLE fetches (
    id              TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversations (id),
    message_id      TEXT NOT NULL REFERENCES messages (id),
    place           BIGINT NOT NULL, -- of the attachment in its message, from 0
    holds           BOOLEAN NOT NULL, -- a turn waits for it
    state           TEXT NOT NULL DEFAULT 'queued', -- queued, kept, lost
    attempt         BIGINT NOT NULL DEFAULT 0,
    due_at          BIGINT NOT NULL,
    lease_until     BIGINT NOT NULL DEFAULT 0,
    fence           BIGINT NOT NULL DEFAULT 0, -- only grows
    settled_at      BIGINT NOT NULL DEFAULT 0,
    UNIQUE (message_id, place)
);
CREATE INDEX fetches_queued ON fetches (due_at) WHERE state = 'queued';
CREATE INDEX fetches_conversation ON fetches (conversation_id) WHERE state = 'queued';
CREATE INDEX fetches_settled ON fetches (settled_at) WHERE settled_at > 0;
-- Whose a file is, is looked up for every picture that a page shows.
CREATE INDEX messages_attached ON messages (conversation_id) WHERE attachments <> '';
-- The turn waits until then for what is said in a voice note to be known.
ALTER TABLE conversations ADD COLUMN held_until BIGINT NOT NULL DEFAULT 0;
