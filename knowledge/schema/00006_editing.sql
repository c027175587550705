-- +goose Up
-- Where an entry comes from: the file or web page that it was last read from, '' if none or if it was published before
-- this was kept. Who edited it by hand since, and when; 0 if nobody did.
ALTER TABLE versions ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE versions ADD COLUMN edited_by TEXT NOT NULL DEFAULT '';
ALTER TABLE versions ADD COLUMN edited_at BIGINT NOT NULL DEFAULT 0;

-- Edits by hand that are not published yet, one for each entry.
CREATE TABLE edits (
    affiliate     TEXT   NOT NULL REFERENCES affiliates (id),
    entry_id      TEXT   NOT NULL, -- of a published entry, a removed one or one to be added
    version       TEXT   NOT NULL, -- names one save, so that nobody overwrites what they have not seen
    base_revision BIGINT NOT NULL, -- of the published version that it began from; 0 if none was published
    content       TEXT   NOT NULL, -- JSON, as in uploads.changes
    edited_by     TEXT   NOT NULL,
    edited_at     BIGINT NOT NULL,
    PRIMARY KEY (affiliate, entry_id)
);

ALTER TABLE uploads ADD COLUMN held TEXT NOT NULL DEFAULT '[]';  -- JSON: changes of the file that edits by hand keep out
ALTER TABLE uploads ADD COLUMN edits TEXT NOT NULL DEFAULT '[]'; -- JSON: the edits that were proposed, if it is no file

-- +goose Down
ALTER TABLE uploads DROP COLUMN edits;
ALTER TABLE uploads DROP COLUMN held;
DROP TABLE edits;
ALTER TABLE versions DROP COLUMN edited_at;
ALTER TABLE versions DROP COLUMN edited_by;
ALTER TABLE versions DROP COLUMN source;
