-- +goose Up
CREATE TABLE blobs (
    id      TEXT PRIMARY KEY, -- SHA-256 of data, in hex
    type    TEXT NOT NULL,
    size    BIGINT NOT NULL,
    data    BYTEA NOT NULL,
    kept_at BIGINT NOT NULL   -- when it was last put
);
CREATE INDEX blobs_kept ON blobs (kept_at);
