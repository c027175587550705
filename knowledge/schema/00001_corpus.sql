-- +goose Up
CREATE TABLE affiliates (
    id         TEXT PRIMARY KEY,
    revision   BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);

-- An entry's identity outlives its versions: a key that comes back is the same entry.
CREATE TABLE entries (
    id        TEXT PRIMARY KEY,
    affiliate TEXT NOT NULL REFERENCES affiliates (id),
    key       TEXT NOT NULL,
    locale    TEXT NOT NULL,
    UNIQUE (affiliate, key, locale)
);

-- A version is live in the revisions r with from_revision <= r < until_revision; 0 means still live.
CREATE TABLE versions (
    entry_id       TEXT   NOT NULL REFERENCES entries (id),
    from_revision  BIGINT NOT NULL,
    until_revision BIGINT NOT NULL DEFAULT 0,
    affiliate      TEXT   NOT NULL,
    question       TEXT   NOT NULL,
    variants       TEXT   NOT NULL, -- JSON array of strings
    answer         TEXT   NOT NULL,
    topic          TEXT   NOT NULL,
    valid_from     BIGINT NOT NULL,
    valid_to       BIGINT NOT NULL,
    PRIMARY KEY (entry_id, from_revision)
);
CREATE UNIQUE INDEX versions_live ON versions (affiliate, entry_id) WHERE until_revision = 0;
CREATE INDEX versions_affiliate ON versions (affiliate, from_revision);

CREATE TABLE uploads (
    id            TEXT PRIMARY KEY,
    affiliate     TEXT   NOT NULL REFERENCES affiliates (id),
    base_revision BIGINT NOT NULL,
    content       TEXT   NOT NULL, -- digest of the file and of what was read from it
    file          TEXT   NOT NULL,
    digest        TEXT   NOT NULL,
    uploaded_by   TEXT   NOT NULL,
    uploaded_at   BIGINT NOT NULL,
    changes       TEXT   NOT NULL, -- JSON
    problems      TEXT   NOT NULL, -- JSON
    unchanged     BIGINT NOT NULL,
    kept          BIGINT NOT NULL,
    published     BIGINT NOT NULL DEFAULT 0,
    UNIQUE (affiliate, base_revision, content)
);

CREATE TABLE publishes (
    affiliate    TEXT    NOT NULL REFERENCES affiliates (id),
    revision     BIGINT  NOT NULL,
    published_by TEXT    NOT NULL,
    published_at BIGINT  NOT NULL,
    upload_id    TEXT    NOT NULL,
    file         TEXT    NOT NULL,
    added        BIGINT  NOT NULL,
    edited       BIGINT  NOT NULL,
    retired      BIGINT  NOT NULL,
    roll_back    BOOLEAN NOT NULL,
    to_revision  BIGINT  NOT NULL,
    PRIMARY KEY (affiliate, revision)
);

-- +goose Down
DROP TABLE publishes;
DROP TABLE uploads;
DROP TABLE versions;
DROP TABLE entries;
DROP TABLE affiliates;
