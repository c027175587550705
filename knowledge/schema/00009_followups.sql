-- +goose Up
ALTER TABLE versions ADD COLUMN follow_ups TEXT NOT NULL DEFAULT ''; -- JSON array of keys, '' for none
ALTER TABLE versions ADD COLUMN slug TEXT NOT NULL DEFAULT '';       -- '' of what was published before slugs were kept
-- Every slug that an entry ever had: none is given to another entry, so that old addresses lead on.
CREATE TABLE slugs (
    affiliate TEXT NOT NULL REFERENCES affiliates (id),
    slug      TEXT NOT NULL,
    entry_id  TEXT NOT NULL REFERENCES entries (id),
    PRIMARY KEY (affiliate, slug)
);

-- +goose Down
DROP TABLE slugs;
ALTER TABLE versions DROP COLUMN slug;
ALTER TABLE versions DROP COLUMN follow_ups;
