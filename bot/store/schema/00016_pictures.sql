-- +goose Up
ALTER TABLE contacts ADD COLUMN picture TEXT NOT NULL DEFAULT '';    -- the customer's profile picture, a blob's ID
ALTER TABLE contacts ADD COLUMN profile_at BIGINT NOT NULL DEFAULT 0; -- when the network was last asked who they are
CREATE INDEX contacts_picture ON contacts (picture) WHERE picture <> '';
