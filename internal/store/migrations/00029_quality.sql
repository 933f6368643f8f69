-- Which conversations are judged, and how. Who has to do the next step, and until when, is in service_case, and what happened in
-- its events; what is here is for those concerned alone: cases are seen by more.

-- +goose Up
CREATE TABLE IF NOT EXISTS quality_review (
    case_id         text        PRIMARY KEY REFERENCES service_case (id) ON DELETE CASCADE,
    -- Each is judged once.
    conversation_id uuid        NOT NULL UNIQUE,
    -- The day for which it was chosen, as 2026-11-21.
    day             text        NOT NULL,
    -- Whose conversation it is.
    agent           text        NOT NULL,
    -- sample, slow and rating.
    reasons         text[]      NOT NULL,
    -- How long a step may take.
    due_seconds     integer     NOT NULL,
    -- Why the agent does not agree; empty while they have not said so.
    appeal          text        NOT NULL DEFAULT '',
    appealed_at     timestamptz
);
CREATE INDEX IF NOT EXISTS quality_review_agent ON quality_review (agent, day);

CREATE TABLE IF NOT EXISTS quality_score (
    case_id      text        NOT NULL REFERENCES quality_review (case_id) ON DELETE CASCADE,
    -- 1 is the judgement, 2 the decision on the appeal.
    round        smallint    NOT NULL CHECK (round IN (1, 2)),
    judge        text        NOT NULL,
    script_norms smallint    NOT NULL CHECK (script_norms BETWEEN 1 AND 5),
    attitude     smallint    NOT NULL CHECK (attitude BETWEEN 1 AND 5),
    expertise    smallint    NOT NULL CHECK (expertise BETWEEN 1 AND 5),
    comment      text        NOT NULL DEFAULT '',
    scored_at    timestamptz NOT NULL,
    PRIMARY KEY (case_id, round)
);

-- By when conversations were marked.
CREATE INDEX IF NOT EXISTS review_marked ON review (marked_at);

-- +goose Down
DROP INDEX review_marked;
DROP TABLE quality_score, quality_review;
