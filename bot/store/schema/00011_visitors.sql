-- +goose Up
-- Tokens of chat visitors that were issued until then are not good any more: those of one visitor, or of
-- all of an account if customer is ''.
CREATE TABLE visitor_revocations (
    account  TEXT   NOT NULL,
    customer TEXT   NOT NULL,
    until    BIGINT NOT NULL,
    PRIMARY KEY (account, customer)
);

-- +goose Down
DROP TABLE visitor_revocations;
