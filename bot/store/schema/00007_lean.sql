-- +goose Up
-- Every message paid for it. Only edits look for a network's ID, from the newest message back.
DROP INDEX messages_network;
-- What waits is found by where it begins, which the conversation knows.
DROP INDEX messages_waiting;
ALTER TABLE conversations ADD COLUMN waiting_from BIGINT NOT NULL DEFAULT 0; -- no message before it waits
