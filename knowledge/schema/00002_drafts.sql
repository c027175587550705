-- +goose Up
-- The bytes as they were sent: for reading them again with other columns or mends, and for download.
CREATE TABLE files (
    affiliate TEXT   NOT NULL REFERENCES affiliates (id),
    digest    TEXT   NOT NULL,
    data      BYTEA  NOT NULL,
    stored_at BIGINT NOT NULL,
    PRIMARY KEY (affiliate, digest)
);

ALTER TABLE uploads ADD COLUMN reading TEXT NOT NULL DEFAULT '{}'; -- JSON
ALTER TABLE uploads ADD COLUMN kept_ids TEXT NOT NULL DEFAULT '[]'; -- JSON
ALTER TABLE uploads ADD COLUMN aside BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE uploads DROP COLUMN aside;
ALTER TABLE uploads DROP COLUMN kept_ids;
ALTER TABLE uploads DROP COLUMN reading;
DROP TABLE files;
