-- +goose Up
-- TRUE: value is a JSON list of signing keys, sealed with the key of the key file. FALSE: value is one key as it
-- is, from an earlier build; it is sealed when the database is first opened.
ALTER TABLE people_secrets ADD COLUMN sealed BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE people_secrets DROP COLUMN sealed;
