-- +goose Up
CREATE TABLE queues (
    name      TEXT PRIMARY KEY,
    affiliate TEXT NOT NULL,
    answer_ms BIGINT NOT NULL -- the promise: somebody has written within
);
CREATE TABLE tickets (
    id              TEXT PRIMARY KEY,
    escalation      TEXT NOT NULL UNIQUE, -- what opened it; heard twice, opened once
    conversation_id TEXT NOT NULL,
    affiliate       TEXT NOT NULL,
    queue           TEXT NOT NULL REFERENCES queues (name),
    state           TEXT NOT NULL,
    reason          TEXT NOT NULL,
    topic           TEXT NOT NULL,
    question        TEXT NOT NULL,
    locale          TEXT NOT NULL,
    tried           TEXT NOT NULL,
    assignee        TEXT NOT NULL DEFAULT '',
    opened_at       BIGINT NOT NULL,
    due_at          BIGINT NOT NULL,            -- when somebody must have written
    waiting_since   BIGINT NOT NULL,            -- the customer has waited since, 0: not waiting
    replied_at      BIGINT NOT NULL DEFAULT 0,  -- the first reply of a person
    closed_at       BIGINT NOT NULL DEFAULT 0,
    outcome         TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX tickets_open ON tickets (conversation_id) WHERE state <> 'closed';
CREATE INDEX tickets_due ON tickets (due_at) WHERE state <> 'closed';
CREATE TABLE ticket_notes (
    ticket_id TEXT NOT NULL REFERENCES tickets (id),
    key       TEXT NOT NULL, -- noted twice under one key, kept once
    agent     TEXT NOT NULL DEFAULT '',
    body      TEXT NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (ticket_id, key)
);
