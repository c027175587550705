-- +goose Up
CREATE TABLE people (
    id         TEXT PRIMARY KEY,
    name       TEXT    NOT NULL,
    name_key   TEXT    NOT NULL UNIQUE, -- the name as it is compared, without case
    role       TEXT    NOT NULL,
    affiliates TEXT    NOT NULL, -- JSON array of strings
    password   TEXT    NOT NULL DEFAULT '', -- argon2id with its parameters; empty until one is chosen
    created_at BIGINT  NOT NULL,
    disabled   BOOLEAN NOT NULL DEFAULT FALSE
);

-- The one row that is locked while the number of admins may change.
CREATE TABLE people_gate (id BIGINT PRIMARY KEY);
INSERT INTO people_gate (id) VALUES (1);

-- Tokens and keys are random: their SHA-256 is enough to know them, and of no use to a thief.
CREATE TABLE people_sessions (
    token_hash TEXT PRIMARY KEY,
    id         TEXT   NOT NULL UNIQUE, -- names the session on pages
    person_id  TEXT   NOT NULL REFERENCES people (id),
    remote     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL, -- to the hour
    expires_at BIGINT NOT NULL
);
CREATE INDEX people_sessions_person ON people_sessions (person_id);
CREATE INDEX people_sessions_expiry ON people_sessions (expires_at);

-- At most one per person. person_id is empty for the first admin, who is nobody yet.
CREATE TABLE people_invitations (
    person_id  TEXT PRIMARY KEY,
    token_hash TEXT   NOT NULL UNIQUE,
    expires_at BIGINT NOT NULL
);

CREATE TABLE people_api_keys (
    id         TEXT PRIMARY KEY,
    key_hash   TEXT   NOT NULL UNIQUE,
    affiliate  TEXT   NOT NULL,
    label      TEXT   NOT NULL,
    created_by TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL DEFAULT 0, -- to the hour
    revoked_at BIGINT NOT NULL DEFAULT 0
);

-- Guesses that failed, or are being checked. subject is a hash: people type passwords into the wrong
-- field.
CREATE TABLE people_attempts (
    subject   TEXT PRIMARY KEY,
    failures  BIGINT NOT NULL,
    last_at   BIGINT NOT NULL,
    paused_to BIGINT NOT NULL
);
CREATE INDEX people_attempts_last ON people_attempts (last_at);

CREATE TABLE people_audit (
    id     TEXT PRIMARY KEY, -- sorts by time
    at     BIGINT NOT NULL,
    actor  TEXT   NOT NULL,
    action TEXT   NOT NULL,
    object TEXT   NOT NULL
);

CREATE TABLE people_secrets (
    name       TEXT PRIMARY KEY,
    value      BYTEA  NOT NULL,
    created_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE people_secrets;
DROP TABLE people_audit;
DROP TABLE people_attempts;
DROP TABLE people_api_keys;
DROP TABLE people_invitations;
DROP TABLE people_sessions;
DROP TABLE people_gate;
DROP TABLE people;
