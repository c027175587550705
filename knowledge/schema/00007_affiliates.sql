-- +goose Up
ALTER TABLE affiliates ADD COLUMN label TEXT NOT NULL DEFAULT '';         -- what pages call it, '' for its ID
ALTER TABLE affiliates ADD COLUMN archived_at BIGINT NOT NULL DEFAULT 0;  -- 0: it is in use

-- +goose Down
ALTER TABLE affiliates DROP COLUMN archived_at;
ALTER TABLE affiliates DROP COLUMN label;
