-- Bursts of complaints. What is here is in force: routers look at it every second, and the workflow that keeps a burst ends it here.

-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS emergency (
    -- Part of the workflow's id.
    number      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The SkillGroup that is concerned; empty is the whole brand.
    skill_group text        NOT NULL,
    started_at  timestamptz NOT NULL,
    -- When it was over, or a human said so.
    ended_at    timestamptz,
    -- When complaints were normal again. Until then no other one of the same scope begins.
    calm_at     timestamptz
);
CREATE UNIQUE INDEX IF NOT EXISTS emergency_lasting ON emergency (skill_group) WHERE calm_at IS NULL;
-- How many complaints came when.
CREATE INDEX CONCURRENTLY IF NOT EXISTS complaint_opened ON complaint (opened_at, skill_group);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS complaint_opened;
DROP TABLE emergency;
