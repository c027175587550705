-- +goose Up
-- Files that go with entries are kept for as long as a revision may come back.
ALTER TABLE blobs ADD COLUMN pinned BOOLEAN NOT NULL DEFAULT FALSE;
