-- +goose Up
ALTER TABLE conversations ADD COLUMN window_reason TEXT NOT NULL DEFAULT '';
-- How the customer came to us, as JSON: first-touch and last-touch.
ALTER TABLE conversations ADD COLUMN first_referral TEXT NOT NULL DEFAULT '';
ALTER TABLE conversations ADD COLUMN last_referral TEXT NOT NULL DEFAULT '';
-- The networks' IDs of customers that outlive a change of conversations.customer.
CREATE TABLE aliases (
    channel         TEXT NOT NULL,
    account         TEXT NOT NULL,
    stable          TEXT NOT NULL,
    conversation_id TEXT NOT NULL REFERENCES conversations (id),
    PRIMARY KEY (channel, account, stable)
);
CREATE INDEX aliases_conversation ON aliases (conversation_id);
CREATE INDEX deliveries_external ON deliveries (external_id) WHERE external_id <> '';
