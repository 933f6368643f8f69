-- How a brand's service compares with its objectives. An index whose making was cut short stays, and is of no use to anybody: it is
-- removed before it is made again.

-- +goose NO TRANSACTION
-- +goose Up

-- How long the customer waited for the first words of a human while the group was open. Null until then, and where a desk of before
-- answered, or nobody had to.
ALTER TABLE conversation ADD COLUMN IF NOT EXISTS answered_seconds integer;
-- How customers rated lately.
DROP INDEX CONCURRENTLY IF EXISTS survey_rated;
CREATE INDEX CONCURRENTLY survey_rated ON survey (rated_at) WHERE rating IS NOT NULL;

-- What was measured last, by one router for all.
CREATE TABLE IF NOT EXISTS objective (
    service_level text        PRIMARY KEY,
    -- The window and the time by which it was measured; with others it is measured again.
    rules         text        NOT NULL,
    -- Tallies by objective.
    measured      jsonb       NOT NULL,
    measured_at   timestamptz NOT NULL
);

-- +goose Down
DROP TABLE IF EXISTS objective;
DROP INDEX CONCURRENTLY IF EXISTS survey_rated;
ALTER TABLE conversation DROP COLUMN IF EXISTS answered_seconds;
