-- The Brand's own keys are replaced: when each was made, and which replicas have them, so that none encrypts before all can decrypt.

-- +goose Up
ALTER TABLE keyset
    -- Counts the changes of what keys there are, and of which one encrypts; not those of the wrapping.
    ADD COLUMN IF NOT EXISTS revision     bigint      NOT NULL DEFAULT 1,
    -- When the key that encrypts was made. Of one of before nobody knows; it counts from now.
    ADD COLUMN IF NOT EXISTS made_at      timestamptz NOT NULL DEFAULT now(),
    -- The key that is to encrypt next, and when it was made; null while there is none.
    ADD COLUMN IF NOT EXISTS next_key     bigint,
    ADD COLUMN IF NOT EXISTS next_made_at timestamptz CHECK ((next_made_at IS NULL) = (next_key IS NULL));

-- The replicas that work by the keyset, and the revision of it that each has.
CREATE TABLE IF NOT EXISTS keyset_reader (
    name     text        PRIMARY KEY,
    revision bigint      NOT NULL,
    seen_at  timestamptz NOT NULL
);

-- +goose Down
DROP TABLE keyset_reader;
ALTER TABLE keyset
    DROP COLUMN revision,
    DROP COLUMN made_at,
    DROP COLUMN next_key,
    DROP COLUMN next_made_at;
