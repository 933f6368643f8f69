-- How quickly agents answer, what is to be looked at again, and which customers come first. Conversations stay for ever, so the
-- indexes are made while the routers and desks of before go on writing. One whose making was cut short stays, and is of no use
-- to anybody: it is removed before it is made again.

-- +goose NO TRANSACTION
-- +goose Up

-- Since when the customer waits for an answer of the agent who has the conversation; null while there is nothing to answer.
ALTER TABLE conversation ADD COLUMN IF NOT EXISTS asked_since timestamptz;
-- When that agent is reminded of it; null once they were.
ALTER TABLE conversation ADD COLUMN IF NOT EXISTS remind_at timestamptz;
-- When a human first said something; null until then.
ALTER TABLE conversation ADD COLUMN IF NOT EXISTS answered_at timestamptz;
-- When that comes too late; null once somebody was told.
ALTER TABLE conversation ADD COLUMN IF NOT EXISTS late_at timestamptz;
DROP INDEX CONCURRENTLY IF EXISTS conversation_remind;
CREATE INDEX CONCURRENTLY conversation_remind ON conversation (remind_at) WHERE state = 'assigned' AND remind_at IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS conversation_late;
CREATE INDEX CONCURRENTLY conversation_late ON conversation (late_at) WHERE state IN ('queued', 'assigned') AND late_at IS NOT NULL;

-- Conversations in which a customer waited too long for an answer.
CREATE TABLE IF NOT EXISTS review (
    conversation_id uuid        PRIMARY KEY,
    -- Who let them wait, and for how long, the longest since somebody looked.
    agent           text        NOT NULL,
    waited_seconds  integer     NOT NULL,
    marked_at       timestamptz NOT NULL,
    -- Null until a supervisor has looked.
    reviewed_at     timestamptz,
    reviewed_by     text        NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS review_open ON review (marked_at) WHERE reviewed_at IS NULL;

-- What sort of customer a contact is: '' or a tier that the priorities of a SkillGroup speak of.
ALTER TABLE contact ADD COLUMN IF NOT EXISTS tier text NOT NULL DEFAULT '';
-- The same, for as long as the conversation is open.
ALTER TABLE conversation ADD COLUMN IF NOT EXISTS tier text NOT NULL DEFAULT '';
-- Who made them that.
CREATE TABLE IF NOT EXISTS tier_change (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel     text        NOT NULL,
    external_id text        NOT NULL,
    before      text        NOT NULL,
    after       text        NOT NULL,
    changed_by  text        NOT NULL,
    changed_at  timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS tier_change_contact ON tier_change (channel, external_id, id);

-- +goose Down
DROP TABLE IF EXISTS tier_change;
ALTER TABLE conversation DROP COLUMN IF EXISTS tier;
ALTER TABLE contact DROP COLUMN IF EXISTS tier;
DROP TABLE IF EXISTS review;
ALTER TABLE conversation DROP COLUMN IF EXISTS late_at, DROP COLUMN IF EXISTS answered_at, DROP COLUMN IF EXISTS remind_at, DROP COLUMN IF EXISTS asked_since;
