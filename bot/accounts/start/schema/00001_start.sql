-- +goose Up
-- Steps of the guided start that cannot be told from what there is: those skipped, and those a person called done.
CREATE TABLE start_steps (
    affiliate TEXT NOT NULL,
    step      TEXT NOT NULL,
    state     TEXT NOT NULL, -- done, skipped
    PRIMARY KEY (affiliate, step)
);

-- +goose Down
DROP TABLE start_steps;
