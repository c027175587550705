-- +goose Up
-- Addresses that customers of chats on pages left, and how far they have read.
CREATE TABLE mail_contacts (
    conversation_id TEXT PRIMARY KEY,
    email           TEXT NOT NULL,
    token           TEXT NOT NULL UNIQUE,       -- in the address that answers go to
    locale          TEXT NOT NULL,
    confirmed_at    BIGINT NOT NULL DEFAULT 0,  -- 0: the address may be somebody else's
    seen_at         BIGINT NOT NULL,            -- when the chat was last open
    mailed_seq      BIGINT NOT NULL DEFAULT 0,  -- the last message that was mailed
    updated_at      BIGINT NOT NULL
);
CREATE INDEX mail_contacts_confirmed ON mail_contacts (conversation_id) WHERE confirmed_at > 0;

-- +goose Down
DROP TABLE mail_contacts;
