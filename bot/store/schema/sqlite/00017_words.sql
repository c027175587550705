-- +goose Up
-- The words of messages, to be searched. A message's rowid is not its own for good, VACUUM gives another: so it has a number here.
CREATE TABLE message_docs (
    doc        INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL UNIQUE
);
CREATE VIRTUAL TABLE message_words USING fts5(body, content = '', prefix = '3', tokenize = 'unicode61 remove_diacritics 0');
-- What is removed is overwritten at once, not marked: words of customers who were erased must not stay in the file.
INSERT INTO message_words (message_words, rank) VALUES ('secure-delete', 1);
INSERT INTO message_docs (message_id) SELECT id FROM messages WHERE body <> '' ORDER BY at, id;
INSERT INTO message_words (rowid, body) SELECT d.doc, m.body FROM message_docs d JOIN messages m ON m.id = d.message_id ORDER BY d.doc;
-- +goose StatementBegin
CREATE TRIGGER message_words_added AFTER INSERT ON messages WHEN new.body <> '' BEGIN
    INSERT INTO message_docs (message_id) VALUES (new.id);
    INSERT INTO message_words (rowid, body) SELECT doc, new.body FROM message_docs WHERE message_id = new.id;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER message_words_removed AFTER DELETE ON messages WHEN old.body <> '' BEGIN
    INSERT INTO message_words (message_words, rowid, body) SELECT 'delete', doc, old.body FROM message_docs WHERE message_id = old.id;
    DELETE FROM message_docs WHERE message_id = old.id;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER message_words_changed AFTER UPDATE OF body ON messages WHEN new.body <> old.body BEGIN
    INSERT INTO message_words (message_words, rowid, body) SELECT 'delete', doc, old.body FROM message_docs WHERE message_id = old.id;
    DELETE FROM message_docs WHERE message_id = old.id;
    INSERT INTO message_docs (message_id) SELECT new.id WHERE new.body <> '';
    INSERT INTO message_words (rowid, body) SELECT doc, new.body FROM message_docs WHERE message_id = new.id;
END;
-- +goose StatementEnd
-- +goose Down
DROP TRIGGER message_words_changed;
DROP TRIGGER message_words_removed;
DROP TRIGGER message_words_added;
DROP TABLE message_words;
DROP TABLE message_docs;
