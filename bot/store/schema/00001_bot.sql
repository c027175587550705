-- +goose Up
CREATE TABLE customers (
    id        TEXT PRIMARY KEY,
    opened_at BIGINT NOT NULL
);
-- An identity is one Address of a customer.
CREATE TABLE identities (
    channel     TEXT NOT NULL,
    account     TEXT NOT NULL,
    customer    TEXT NOT NULL,
    customer_id TEXT NOT NULL REFERENCES customers (id),
    PRIMARY KEY (channel, account, customer)
);
CREATE TABLE conversations (
    id            TEXT PRIMARY KEY,
    channel       TEXT NOT NULL,
    account       TEXT NOT NULL,
    customer      TEXT NOT NULL,
    customer_id   TEXT NOT NULL,
    affiliate     TEXT NOT NULL,
    episode_id    TEXT NOT NULL DEFAULT '',
    locale        TEXT NOT NULL DEFAULT '',
    mode          TEXT NOT NULL DEFAULT 'bot',
    misses        BIGINT NOT NULL DEFAULT 0,
    clarify       BIGINT NOT NULL DEFAULT 0,
    asked         TEXT NOT NULL DEFAULT '',
    first_ref     TEXT NOT NULL DEFAULT '',
    last_ref      TEXT NOT NULL DEFAULT '',
    unreachable   BOOLEAN NOT NULL DEFAULT FALSE,
    opened_at     BIGINT NOT NULL,
    heard_at      BIGINT NOT NULL DEFAULT 0,
    active_at     BIGINT NOT NULL DEFAULT 0, -- last message of either side
    window_until  BIGINT NOT NULL DEFAULT 0,
    next_seq      BIGINT NOT NULL DEFAULT 1,
    -- The queue of turns. All of it is decided from this row's own columns: a sub-select on
    -- messages would not see, on Postgres, what was accepted while the row was waited for.
    waiting_seq   BIGINT NOT NULL DEFAULT 0, -- last message that wants an answer
    waiting_since BIGINT NOT NULL DEFAULT 0, -- when the first one of them came, 0 if none waits
    turn_due_at   BIGINT NOT NULL DEFAULT 0, -- 0: no turn is due
    lease_until   BIGINT NOT NULL DEFAULT 0,
    fence         BIGINT NOT NULL DEFAULT 0, -- only grows
    attempt       BIGINT NOT NULL DEFAULT 0,
    UNIQUE (channel, account, customer)
);
CREATE INDEX conversations_due ON conversations (turn_due_at) WHERE turn_due_at > 0;
CREATE TABLE episodes (
    id              TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversations (id),
    affiliate       TEXT NOT NULL,
    opened_at       BIGINT NOT NULL,
    closed_at       BIGINT NOT NULL DEFAULT 0, -- 0: open
    outcome         TEXT NOT NULL DEFAULT ''   -- silence, resolved
);
CREATE INDEX episodes_conversation ON episodes (conversation_id);
CREATE TABLE turns (
    id              TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversations (id),
    episode_id      TEXT NOT NULL,
    affiliate       TEXT NOT NULL,
    action          TEXT NOT NULL,
    reason          TEXT NOT NULL,
    score           DOUBLE PRECISION NOT NULL,
    entries         TEXT NOT NULL,
    trace           TEXT NOT NULL,
    at              BIGINT NOT NULL
);
CREATE INDEX turns_conversation ON turns (conversation_id);
CREATE TABLE messages (
    id              TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversations (id),
    seq             BIGINT NOT NULL,
    episode_id      TEXT NOT NULL,
    author          TEXT NOT NULL,
    agent           TEXT NOT NULL DEFAULT '',
    body            TEXT NOT NULL,
    choice          TEXT NOT NULL DEFAULT '',
    choices         TEXT NOT NULL DEFAULT '',
    attachments     TEXT NOT NULL DEFAULT '',
    external_id     TEXT NOT NULL, -- the network's ID of the event, or our key
    network_id      TEXT NOT NULL DEFAULT '',
    turn_id         TEXT NOT NULL DEFAULT '',
    status          TEXT NOT NULL,
    at              BIGINT NOT NULL,
    UNIQUE (conversation_id, external_id),
    UNIQUE (conversation_id, seq)
);
CREATE INDEX messages_waiting ON messages (conversation_id, seq) WHERE turn_id = '' AND author = 'customer';
CREATE INDEX messages_network ON messages (conversation_id, network_id) WHERE network_id <> '';
CREATE TABLE deliveries (
    id              TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversations (id),
    lane            TEXT NOT NULL, -- customer, desk
    seq             BIGINT NOT NULL,
    channel         TEXT NOT NULL,
    account         TEXT NOT NULL,
    message_id      TEXT NOT NULL DEFAULT '',
    payload         TEXT NOT NULL,
    state           TEXT NOT NULL DEFAULT 'queued', -- queued, sent, failed, doubtful, withdrawn
    attempt         BIGINT NOT NULL DEFAULT 0,
    doubts          BIGINT NOT NULL DEFAULT 0, -- sends of which nobody knows whether they arrived
    due_at          BIGINT NOT NULL,
    lease_until     BIGINT NOT NULL DEFAULT 0, -- above 0: claimed and not settled
    fence           BIGINT NOT NULL DEFAULT 0, -- only grows
    external_id     TEXT NOT NULL DEFAULT '',
    code            TEXT NOT NULL DEFAULT '', -- of the last failure
    created_at      BIGINT NOT NULL,
    settled_at      BIGINT NOT NULL DEFAULT 0,
    UNIQUE (conversation_id, lane, seq)
);
CREATE INDEX deliveries_queued ON deliveries (due_at, seq) WHERE state = 'queued';
CREATE INDEX deliveries_lane ON deliveries (conversation_id, lane, seq) WHERE state = 'queued';
-- Accounts that may not send now: throttled by their network, or misconfigured.
CREATE TABLE pauses (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    until   BIGINT NOT NULL,
    reason  TEXT NOT NULL,
    code    TEXT NOT NULL,
    PRIMARY KEY (channel, account)
);
-- Bodies that a network signed and we could not read.
CREATE TABLE rejects (
    id      TEXT PRIMARY KEY,
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    reason  TEXT NOT NULL,
    body    BYTEA NOT NULL,
    at      BIGINT NOT NULL
);
