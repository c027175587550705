-- +goose Up
-- The network wants the next message to this customer no sooner.
ALTER TABLE conversations ADD COLUMN paced_until BIGINT NOT NULL DEFAULT 0;
CREATE INDEX conversations_active ON conversations (active_at);
