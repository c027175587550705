-- +goose Up
-- What is known of the customer of a conversation beside their address: written when that changes, and not with every
-- message. One row for each conversation, locked after the one in conversations.
CREATE TABLE contacts (
    conversation_id TEXT PRIMARY KEY REFERENCES conversations (id),
    phone           TEXT NOT NULL DEFAULT '',       -- proven to be theirs: digits, with the country's
    phone_at        BIGINT NOT NULL DEFAULT 0,      -- when that was last proven
    apart           BOOLEAN NOT NULL DEFAULT FALSE, -- an agent separated it: only a link joins it again
    opt_out         TEXT NOT NULL DEFAULT '',       -- marketing, all
    opt_out_at      BIGINT NOT NULL DEFAULT 0,      -- when that last changed
    first_ref       TEXT NOT NULL DEFAULT '',       -- how they came, first and last: the name of the link or ad
    last_ref        TEXT NOT NULL DEFAULT '',
    first_referral  TEXT NOT NULL DEFAULT '',       -- and all that the network told of it, as JSON
    last_referral   TEXT NOT NULL DEFAULT ''
);
INSERT INTO contacts (conversation_id, phone, phone_at, apart, opt_out, opt_out_at, first_ref, last_ref, first_referral, last_referral)
    SELECT id, phone, phone_at, apart, opt_out, opt_out_at, first_ref, last_ref, first_referral, last_referral FROM conversations;
CREATE INDEX contacts_phone ON contacts (phone) WHERE phone <> '';
DROP INDEX conversations_phone;
ALTER TABLE conversations DROP COLUMN phone;
ALTER TABLE conversations DROP COLUMN phone_at;
ALTER TABLE conversations DROP COLUMN apart;
ALTER TABLE conversations DROP COLUMN opt_out;
ALTER TABLE conversations DROP COLUMN opt_out_at;
ALTER TABLE conversations DROP COLUMN first_ref;
ALTER TABLE conversations DROP COLUMN last_ref;
ALTER TABLE conversations DROP COLUMN first_referral;
ALTER TABLE conversations DROP COLUMN last_referral;
