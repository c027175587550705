-- +goose Up
-- Accounts that people added, beside those of the configuration file.
CREATE TABLE accounts (
    channel    TEXT NOT NULL,
    account    TEXT NOT NULL,
    settings   TEXT NOT NULL,  -- JSON, without secrets
    secrets    BYTEA NOT NULL, -- JSON, sealed with a key that is kept outside the database
    version    TEXT NOT NULL,  -- another one after every change
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (channel, account)
);
CREATE INDEX deliveries_dead ON deliveries (channel, account, settled_at) WHERE lane = 'customer' AND state IN ('failed', 'doubtful', 'withdrawn');
CREATE INDEX rejects_account ON rejects (channel, account, at);
