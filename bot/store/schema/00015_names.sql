-- +goose Up
ALTER TABLE contacts ADD COLUMN name TEXT NOT NULL DEFAULT ''; -- what the network calls the customer
