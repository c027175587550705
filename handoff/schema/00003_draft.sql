-- +goose Up
-- The answer that the bot suggests to the person who answers, '' if none.
ALTER TABLE tickets ADD COLUMN draft TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE tickets DROP COLUMN draft;
