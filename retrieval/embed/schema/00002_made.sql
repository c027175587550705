-- +goose Up
-- When a vector was made, so that Sweep leaves alone what a draft may still want. 0: before this was kept.
ALTER TABLE embeddings ADD COLUMN made_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE embeddings DROP COLUMN made_at;
