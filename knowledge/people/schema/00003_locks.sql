-- +goose Up
-- A lock binds a name and an address together, or an address alone, so nobody can lock somebody else out.
-- What is shown of it is a person of ours and an address, never what was typed.
DELETE FROM people_attempts;
ALTER TABLE people_attempts ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE people_attempts ADD COLUMN person_id TEXT NOT NULL DEFAULT '';
ALTER TABLE people_attempts ADD COLUMN remote TEXT NOT NULL DEFAULT '';

-- The browsers in which a person has signed in before: guesses elsewhere do not lock them out.
CREATE TABLE people_browsers (
    token_hash TEXT   NOT NULL,
    person_id  TEXT   NOT NULL REFERENCES people (id),
    seen_at    BIGINT NOT NULL,
    PRIMARY KEY (person_id, token_hash)
);

-- +goose Down
DROP TABLE people_browsers;
ALTER TABLE people_attempts DROP COLUMN remote;
ALTER TABLE people_attempts DROP COLUMN person_id;
ALTER TABLE people_attempts DROP COLUMN kind;
