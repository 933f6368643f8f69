-- The key by which links to forms are signed, which customers open without signing in. Whoever deletes the row makes all links that
-- were sent worthless, once the desks have started anew.

-- +goose Up
CREATE TABLE IF NOT EXISTS form_key (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    key      bytea   NOT NULL CHECK (octet_length(key) = 32)
);

-- +goose Down
DROP TABLE form_key;
