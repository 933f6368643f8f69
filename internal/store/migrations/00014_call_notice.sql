-- What the Brand's webhook was told last of each group that called for help, so that neither a restart nor another router tells it again.

-- +goose Up
CREATE TABLE IF NOT EXISTS call_notice (
    skill_group text        PRIMARY KEY,
    -- When the group began to lack agents: one call for help is one such time.
    since       timestamptz NOT NULL,
    attempts    integer     NOT NULL,
    -- When it may be tried again.
    not_before  timestamptz NOT NULL,
    -- The webhook has taken it.
    delivered   boolean     NOT NULL DEFAULT false
);

-- +goose Down
DROP TABLE call_notice;
