-- What customers are asked: while they wait, and when they were served.

-- +goose Up

-- What the customer was asked for when they were given to a human, and has told (internal/domain/intake); null when nothing
-- was wanted.
ALTER TABLE conversation ADD COLUMN intake jsonb;

-- Who was asked how they were served: one row a conversation that an agent ended.
CREATE TABLE survey (
    conversation_id uuid        PRIMARY KEY,
    channel         text        NOT NULL,
    external_id     text        NOT NULL,
    skill_group     text        NOT NULL,
    agent           text        NOT NULL,
    -- FiveStars or ThreeLevels, which say what a rating means.
    scale           text        NOT NULL,
    asked_at        timestamptz NOT NULL,
    -- When they are to be asked once more; null when that was done, is not wanted, or is too late.
    remind_at       timestamptz,
    -- The more the better, from 1; null until they answer.
    rating          integer     CHECK (rating BETWEEN 1 AND 5),
    rated_at        timestamptz,
    -- Whether somebody should look at it.
    poor            boolean     NOT NULL DEFAULT false,
    CHECK ((rating IS NULL) = (rated_at IS NULL))
);
CREATE INDEX survey_open ON survey (channel, external_id, asked_at) WHERE rating IS NULL;
CREATE INDEX survey_due ON survey (remind_at) WHERE remind_at IS NOT NULL;
CREATE INDEX survey_age ON survey (asked_at) WHERE rating IS NULL;
CREATE INDEX survey_poor ON survey (rated_at) WHERE poor;

-- +goose Down
DROP TABLE survey;
ALTER TABLE conversation DROP COLUMN intake;
