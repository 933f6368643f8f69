-- The order of queues, and what becomes of who waits too long.

-- +goose Up

-- Since when a conversation would have to have been queued to stand where it does without priority: queues are ordered by
-- it. Null in rows that were queued by an earlier version.
ALTER TABLE conversation ADD COLUMN queue_key timestamptz;

-- Since when the customer waits for an agent of an open group: queued_at, which keeps places, may lie in the night before.
ALTER TABLE conversation ADD COLUMN waiting_since timestamptz;

-- Whether another group has taken it over; that happens once.
ALTER TABLE conversation ADD COLUMN overflowed boolean NOT NULL DEFAULT false;

-- The queues whose agents were alerted: of several routers one tells them.
CREATE TABLE queue_alert (
    skill_group text        PRIMARY KEY,
    raised_at   timestamptz NOT NULL
);

-- +goose Down
DROP TABLE queue_alert;
ALTER TABLE conversation DROP COLUMN overflowed, DROP COLUMN waiting_since, DROP COLUMN queue_key;
