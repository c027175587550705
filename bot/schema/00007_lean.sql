-- +goose Up
-- Every message paid for it. Only edits look for a network's ID, from the newest message back.
DROP INDEX messages_network;
