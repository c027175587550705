-- +goose Up
-- What networks posted, verified and as it came, until it is taken in: nothing else makes a post durable
-- as fast as storing it unread.
CREATE TABLE inbox (
    id      TEXT PRIMARY KEY, -- in the order in which it came
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    body    BYTEA NOT NULL,
    at      BIGINT NOT NULL
);
