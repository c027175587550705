-- +goose Up
-- The words of messages, to be searched. ASCII signs become blanks first: else "order/payout" is a path, one word. The
-- length is bounded because a tsvector holds a megabyte. Without
-- fastupdate no search has to read a list of what was written lately.
CREATE INDEX messages_words ON messages USING GIN (to_tsvector('simple', translate(left(body, 100000), '!"#$%&()*+,-./:;<=>?@[\]^_`{|}~''', '                                '))) WITH (fastupdate = off);
-- +goose Down
DROP INDEX messages_words;
