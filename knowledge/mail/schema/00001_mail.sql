-- +goose Up
-- Mails that are sent, or were. What was said stands here only until the mail was sent or given up.
CREATE TABLE mails (
    id              TEXT PRIMARY KEY,         -- its Message-ID begins with it
    once            TEXT NOT NULL UNIQUE,     -- a second mail with it is not queued
    kind            TEXT NOT NULL,
    conversation_id TEXT NOT NULL DEFAULT '', -- the customer's whom it is for or about
    recipient       TEXT NOT NULL,
    sender          TEXT NOT NULL DEFAULT '', -- the name that stands before our address
    reply_to        TEXT NOT NULL DEFAULT '',
    answers         TEXT NOT NULL DEFAULT '', -- the Message-ID that it answers
    subject         TEXT NOT NULL,
    body            TEXT NOT NULL,
    state           TEXT NOT NULL,            -- waiting, sent, failed
    attempts        BIGINT NOT NULL DEFAULT 0,
    next_at         BIGINT NOT NULL,          -- not tried before
    problem         TEXT NOT NULL DEFAULT '', -- why the last attempt failed, without the server's words
    created_at      BIGINT NOT NULL,
    sent_at         BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX mails_waiting ON mails (next_at) WHERE state = 'waiting';
CREATE INDEX mails_conversation ON mails (conversation_id, kind, created_at) WHERE conversation_id <> '';
CREATE INDEX mails_recipient ON mails (recipient, kind, created_at);
CREATE INDEX mails_old ON mails (created_at);
-- Up to which mail each mailbox was read.
CREATE TABLE mailboxes (
    name     TEXT PRIMARY KEY,
    validity BIGINT NOT NULL, -- IMAP's UIDVALIDITY
    last     BIGINT NOT NULL  -- UID
);

-- +goose Down
DROP TABLE mailboxes;
DROP TABLE mails;
