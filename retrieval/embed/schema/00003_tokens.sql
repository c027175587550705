-- +goose Up
-- The built-in encoder's vectors are kept with the rows of their tokens since, in a space named after it. Those
-- without are not asked for any more; they are made anew at the next start.
DELETE FROM embeddings WHERE space LIKE 'all-MiniLM-L6-v2/%';
