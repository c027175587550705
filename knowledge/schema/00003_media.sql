-- +goose Up
ALTER TABLE versions ADD COLUMN media TEXT NOT NULL DEFAULT ''; -- JSON array, '' for none
-- The files that an affiliate sent to go with entries, by what they call them. The content is in knowledge/media.
CREATE TABLE entry_files (
    affiliate TEXT   NOT NULL REFERENCES affiliates (id),
    file      TEXT   NOT NULL,
    name      TEXT   NOT NULL,
    kind      TEXT   NOT NULL,
    type      TEXT   NOT NULL,
    size      BIGINT NOT NULL,
    sent_at   BIGINT NOT NULL,
    PRIMARY KEY (affiliate, file, name)
);

-- +goose Down
DROP TABLE entry_files;
ALTER TABLE versions DROP COLUMN media;
