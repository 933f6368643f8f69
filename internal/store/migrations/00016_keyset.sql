-- The Brand's own keys, by which what it keeps elsewhere is encrypted. Connectors have no right to this table.

-- +goose Up
CREATE TABLE IF NOT EXISTS keyset (
    -- One row.
    sole    boolean PRIMARY KEY DEFAULT true CHECK (sole),
    -- A keyset of Tink in its binary form.
    content bytea   NOT NULL,
    -- The content is encrypted by the key that the Brand names.
    wrapped boolean NOT NULL
);

-- +goose Down
DROP TABLE keyset;
