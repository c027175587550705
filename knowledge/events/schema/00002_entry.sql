-- +goose Up
-- How often entries answered, for pages that list an affiliate's entries beside millions of events of others.
CREATE INDEX events_entry ON events (entry, at, kind, reason) WHERE entry <> '';

-- +goose Down
DROP INDEX events_entry;
