-- +goose Up
-- Of which waiting tickets a person of ours was told.
CREATE TABLE mail_notices (
    ticket_id TEXT   NOT NULL,
    person_id TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (ticket_id, person_id)
);
CREATE INDEX mail_notices_at ON mail_notices (person_id, at);

-- +goose Down
DROP TABLE mail_notices;
