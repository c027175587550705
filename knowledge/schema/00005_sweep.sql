-- +goose Up
-- A file that was never published is forgotten with the drafts that could have used it. Builds before this
-- one kept every file for good.
ALTER TABLE entry_files ADD COLUMN published BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE entry_files SET published = TRUE;
CREATE INDEX uploads_waiting ON uploads (uploaded_at) WHERE published = 0;

-- +goose Down
DROP INDEX uploads_waiting;
ALTER TABLE entry_files DROP COLUMN published;
