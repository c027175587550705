-- +goose Up
-- What a page that watches asks for: which tickets changed lately.
ALTER TABLE tickets ADD COLUMN changes BIGINT NOT NULL DEFAULT 0; -- only grows
ALTER TABLE tickets ADD COLUMN changed_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX tickets_changed ON tickets (changed_at);
CREATE INDEX tickets_conversation ON tickets (conversation_id, opened_at);
-- The message whose fate a note tells, '' if it tells none.
ALTER TABLE ticket_notes ADD COLUMN message_id TEXT NOT NULL DEFAULT '';
