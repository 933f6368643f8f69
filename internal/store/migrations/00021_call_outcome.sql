-- What came of the last attempt to tell the Brand's webhook of a call for help.

-- +goose Up
ALTER TABLE call_notice
    -- delivered, refused, unreachable, untrusted or unsigned; '' while nobody knows.
    ADD COLUMN IF NOT EXISTS outcome text NOT NULL DEFAULT '',
    -- The status of an answer that refused it, else 0.
    ADD COLUMN IF NOT EXISTS code integer NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE call_notice DROP COLUMN code, DROP COLUMN outcome;
