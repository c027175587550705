-- +goose Up
-- Where links and notices go, '' if nowhere. Several people may share a mailbox.
ALTER TABLE people ADD COLUMN email TEXT NOT NULL DEFAULT '';
ALTER TABLE people ADD COLUMN notify BOOLEAN NOT NULL DEFAULT FALSE; -- of tickets that wait while nobody is at the desk

-- +goose Down
ALTER TABLE people DROP COLUMN notify;
ALTER TABLE people DROP COLUMN email;
