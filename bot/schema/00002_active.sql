-- +goose Up
CREATE INDEX conversations_active ON conversations (active_at);
