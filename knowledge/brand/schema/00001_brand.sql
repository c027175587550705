-- +goose Up
-- What an affiliate decided about how their bot speaks: the last version counts, the others are its history.
CREATE TABLE brands (
    affiliate TEXT   NOT NULL REFERENCES affiliates (id),
    version   BIGINT NOT NULL, -- from 1
    content   TEXT   NOT NULL, -- JSON
    saved_by  TEXT   NOT NULL,
    saved_at  BIGINT NOT NULL,
    PRIMARY KEY (affiliate, version)
);

-- +goose Down
DROP TABLE brands;
