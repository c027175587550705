-- +goose Up
-- Findings about entries (knowledge/lint) that somebody looked at and leaves as they are.
CREATE TABLE ignored_findings (
    affiliate  TEXT   NOT NULL REFERENCES affiliates (id),
    finding    TEXT   NOT NULL, -- its digest
    ignored_by TEXT   NOT NULL,
    ignored_at BIGINT NOT NULL,
    PRIMARY KEY (affiliate, finding)
);

-- +goose Down
DROP TABLE ignored_findings;
