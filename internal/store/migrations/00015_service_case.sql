-- What workflows keep for customers, of every kind, as desks list it by deadline. The clocks run in Temporal.

-- +goose Up
CREATE TABLE IF NOT EXISTS service_case (
    -- The workflow's id.
    id              text        PRIMARY KEY,
    kind            text        NOT NULL,
    -- The kind's own state.
    state           text        NOT NULL,
    -- What it is about, in a few words without personal data.
    title           text        NOT NULL DEFAULT '',
    -- NULL and empty where it belongs to no conversation.
    conversation_id uuid,
    channel         text        NOT NULL DEFAULT '',
    external_id     text        NOT NULL DEFAULT '',
    skill_group     text        NOT NULL DEFAULT '',
    -- The Agent who has to do the next step; empty while that is anybody of the group.
    owner           text        NOT NULL DEFAULT '',
    opened_at       timestamptz NOT NULL,
    -- Until when the next step must be done; NULL while nothing is due.
    due_at          timestamptz,
    -- When a deadline was missed first.
    breached_at     timestamptz,
    closed_at       timestamptz,
    -- The number of the newest event.
    revision        integer     NOT NULL DEFAULT 1,
    -- What only the kind knows.
    detail          jsonb       NOT NULL DEFAULT '{}'
);
CREATE INDEX IF NOT EXISTS service_case_due ON service_case (due_at) WHERE closed_at IS NULL;
CREATE INDEX IF NOT EXISTS service_case_customer ON service_case (channel, external_id, opened_at);
CREATE INDEX IF NOT EXISTS service_case_conversation ON service_case (conversation_id) WHERE conversation_id IS NOT NULL;

-- What happened to a case, in order.
CREATE TABLE IF NOT EXISTS service_case_event (
    case_id  text        NOT NULL REFERENCES service_case (id) ON DELETE CASCADE,
    revision integer     NOT NULL,
    -- Names what was done once and for all: a step that is taken again finds it.
    step     text        NOT NULL,
    -- The Agent's name; empty is the product itself, "customer" and "provider" are these.
    actor    text        NOT NULL DEFAULT '',
    -- The state after it.
    state    text        NOT NULL,
    note     text        NOT NULL DEFAULT '',
    at       timestamptz NOT NULL,
    PRIMARY KEY (case_id, revision),
    UNIQUE (case_id, step)
);

-- +goose Down
DROP TABLE service_case_event, service_case;
