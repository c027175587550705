-- +goose Up
-- A file is kept until then, or for good if it is pinned. Whatever begins to refer to a file moves it on.
ALTER TABLE blobs ADD COLUMN kept_until BIGINT NOT NULL DEFAULT 0;
UPDATE blobs SET kept_until = kept_at + 7776000000; -- 90 days, as builds before this one kept them
CREATE INDEX blobs_until ON blobs (kept_until) WHERE NOT pinned;
-- Who a file counts against. An owner is a hash: it may be a customer's name or address.
CREATE TABLE blob_owners (
    owner  TEXT   NOT NULL,
    blob   TEXT   NOT NULL REFERENCES blobs (id) ON DELETE CASCADE,
    size   BIGINT NOT NULL,
    put_at BIGINT NOT NULL, -- when this owner put it last
    PRIMARY KEY (owner, blob)
);
CREATE INDEX blob_owners_blob ON blob_owners (blob);

-- +goose Down
DROP TABLE blob_owners;
DROP INDEX blobs_until;
ALTER TABLE blobs DROP COLUMN kept_until;
