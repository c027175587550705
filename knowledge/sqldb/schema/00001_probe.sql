-- +goose Up
-- One row, which a probe writes to learn whether the database can be written.
CREATE TABLE probe (id BIGINT PRIMARY KEY, at BIGINT NOT NULL);

-- +goose Down
DROP TABLE probe;
