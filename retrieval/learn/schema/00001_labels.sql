-- +goose Up
-- Turns of which it is known whether their best entry answered. No column holds words.
CREATE TABLE labels (
    turn_id         TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL,
    affiliate       TEXT NOT NULL,
    chosen          TEXT NOT NULL,             -- how the case was chosen: menu, desk, page
    verdict         TEXT NOT NULL,             -- best, offered, wrong, none
    space           TEXT NOT NULL,             -- the vector space that answered
    evidence        TEXT NOT NULL,             -- JSON: what the probability was worked out from
    menu            BOOLEAN NOT NULL,          -- entries were offered because none was likely enough
    share           DOUBLE PRECISION NOT NULL, -- of the odds of all entries but the best, that of those offered with it
    judged_by       TEXT NOT NULL,             -- the person, '' for the customer
    at              BIGINT NOT NULL
);
CREATE INDEX labels_newest ON labels (affiliate, at);
CREATE INDEX labels_conversation ON labels (conversation_id);
-- How often an affiliate's labels have changed.
CREATE TABLE label_versions (
    affiliate TEXT PRIMARY KEY,
    version   BIGINT NOT NULL
);

-- +goose Down
DROP TABLE label_versions;
DROP TABLE labels;
