-- What each skill group had to do, a quarter of an hour a row: what seats are recommended and forecast from.

-- +goose Up

-- When a conversation first came into the queue of an open group, and which group's: written once. queued_at is its place in
-- the queue, which somebody who wrote in the night has since then.
ALTER TABLE conversation ADD COLUMN offered_at timestamptz;
ALTER TABLE conversation ADD COLUMN offered_to text NOT NULL DEFAULT '';

CREATE TABLE workload (
    skill_group      text        NOT NULL,
    -- When the quarter of an hour begins.
    quarter          timestamptz NOT NULL,
    -- Conversations that were offered to the group.
    arrivals         integer     NOT NULL,
    -- Conversations of the group that an agent had when they ended, and the sum of the times since they were assigned.
    handled          integer     NOT NULL,
    handling_seconds bigint      NOT NULL,
    PRIMARY KEY (skill_group, quarter)
);
CREATE INDEX workload_quarter ON workload (quarter);

-- +goose Down
DROP TABLE workload;
ALTER TABLE conversation DROP COLUMN offered_to;
ALTER TABLE conversation DROP COLUMN offered_at;
