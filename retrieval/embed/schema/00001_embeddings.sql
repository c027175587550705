-- +goose Up

-- The vector of a text in a vector space. A text is known by its SHA-256, so the table holds no
-- words. A row never changes: it can be recomputed, and deleting it costs only time.
CREATE TABLE embeddings (
    space  TEXT NOT NULL,
    digest BYTEA NOT NULL,
    vector BYTEA NOT NULL, -- float32, little-endian
    PRIMARY KEY (space, digest)
);
