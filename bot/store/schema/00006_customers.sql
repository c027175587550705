-- +goose Up
-- An identity is the address of a conversation: conversations says all of it, whose it is and why.
DROP TABLE identities;
ALTER TABLE conversations ADD COLUMN phone TEXT NOT NULL DEFAULT '';       -- proven to be theirs: digits, with the country's
ALTER TABLE conversations ADD COLUMN phone_at BIGINT NOT NULL DEFAULT 0;   -- when that was last proven
ALTER TABLE conversations ADD COLUMN apart BOOLEAN NOT NULL DEFAULT FALSE; -- an agent separated it: only a link joins it again
ALTER TABLE conversations ADD COLUMN opt_out TEXT NOT NULL DEFAULT '';     -- marketing, all
ALTER TABLE conversations ADD COLUMN opt_out_at BIGINT NOT NULL DEFAULT 0; -- when that last changed
CREATE INDEX conversations_customer ON conversations (customer_id);
CREATE INDEX conversations_phone ON conversations (phone) WHERE phone <> '';
-- The network's name for what it took and then did not deliver, before it was tried again.
ALTER TABLE deliveries ADD COLUMN failed_id TEXT NOT NULL DEFAULT '';
-- Links by which a customer proves that another address is theirs too.
CREATE TABLE links (
    digest          TEXT PRIMARY KEY, -- SHA-256 of the code
    conversation_id TEXT NOT NULL REFERENCES conversations (id), -- for which it was made
    channel         TEXT NOT NULL, -- where it may be opened
    account         TEXT NOT NULL,
    agent           TEXT NOT NULL, -- who of ours offered it, '' for nobody: the customer asked
    expires_at      BIGINT NOT NULL,
    opened_by       TEXT NOT NULL DEFAULT '' -- the conversation that used it up
);
CREATE INDEX links_expires ON links (expires_at);
-- What was joined and separated, and why. Rows are only ever added.
CREATE TABLE joins (
    conversation_id TEXT NOT NULL REFERENCES conversations (id), -- the one that came, or went
    was             TEXT NOT NULL, -- its customer before
    became          TEXT NOT NULL,
    proof           TEXT NOT NULL, -- link, phone, apart
    agent           TEXT NOT NULL DEFAULT '', -- who of ours did it, or offered the link
    at              BIGINT NOT NULL
);
CREATE INDEX joins_conversation ON joins (conversation_id, at);
