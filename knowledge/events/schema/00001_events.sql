-- +goose Up
-- What happened, one row each, written in the transaction that causes it. Rows are added, and deleted when a customer
-- is erased; only an episode's ID changes, when two episodes turn out to be one. No column holds a customer's words.
CREATE TABLE events (
    id              TEXT PRIMARY KEY, -- in the order in which they happened
    kind            TEXT NOT NULL,
    at              BIGINT NOT NULL,
    affiliate       TEXT NOT NULL,
    conversation_id TEXT NOT NULL,             -- '' for published
    episode_id      TEXT NOT NULL,
    cause           TEXT NOT NULL,             -- the message, turn, escalation, ticket or revision that it tells of
    entry           TEXT NOT NULL,
    probability     DOUBLE PRECISION NOT NULL, -- that the entry is the one that was meant, 0 if it was not searched for
    reason          TEXT NOT NULL,
    agent           TEXT NOT NULL
);
CREATE INDEX events_conversation ON events (conversation_id);
