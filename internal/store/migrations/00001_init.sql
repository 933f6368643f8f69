-- The memory of one brand. Times are timestamptz, ids are UUIDs made by the writer, texts are bounded by the writers.
-- A contact is one customer on one Channel, named by the Channel and the platform's id (WeChat: the openid).

-- +goose Up

CREATE TABLE contact (
    channel     text        NOT NULL,
    external_id text        NOT NULL,
    customer_id uuid        NOT NULL,
    -- Where the customer last entered from; routing reads it.
    session_from text       NOT NULL DEFAULT '',
    first_seen  timestamptz NOT NULL,
    last_seen   timestamptz NOT NULL,
    PRIMARY KEY (channel, external_id)
);

-- How many messages the platform still lets us send (rows V01, V02). The router grants, connectors spend.
CREATE TABLE quota (
    channel     text        NOT NULL,
    external_id text        NOT NULL,
    -- What the last message granted, and what the last entry did: see internal/domain/quota. The counters may fall below zero.
    window_ends timestamptz NOT NULL,
    remaining   integer     NOT NULL,
    session_ends      timestamptz NOT NULL,
    session_remaining integer     NOT NULL,
    PRIMARY KEY (channel, external_id)
);

CREATE TABLE conversation (
    id            uuid        PRIMARY KEY,
    channel       text        NOT NULL,
    external_id   text        NOT NULL,
    customer_id   uuid        NOT NULL,
    -- bot -> (awaiting_opening ->) queued -> assigned -> closed
    state         text        NOT NULL CHECK (state IN ('bot', 'awaiting_opening', 'queued', 'assigned', 'closed')),
    skill_group   text        NOT NULL DEFAULT '',
    routing_rule  text        NOT NULL DEFAULT '',
    topic         text        NOT NULL DEFAULT '',
    priority      integer     NOT NULL DEFAULT 0,
    agent         text        CHECK ((agent IS NOT NULL) = (state = 'assigned' OR (state = 'closed' AND agent IS NOT NULL))),
    opened_at     timestamptz NOT NULL,
    queued_at     timestamptz,
    assigned_at   timestamptz,
    closed_at     timestamptz,
    -- By when an off-hours message is to be answered; null without such a promise.
    due_at        timestamptz,
    last_message_at timestamptz NOT NULL,
    -- What the bot has already said, so that it says it once; off_hours_told once a closed period: the queue clears it.
    off_hours_told boolean    NOT NULL DEFAULT false,
    queued_told   boolean     NOT NULL DEFAULT false,
    -- Complaint processes that were started; the newest one's number, which is part of its id.
    complaints    integer     NOT NULL DEFAULT 0,
    -- Grows with every change that desks see.
    version       bigint      NOT NULL DEFAULT 1
);
-- One open conversation a contact.
CREATE UNIQUE INDEX conversation_open ON conversation (channel, external_id) WHERE state <> 'closed';
CREATE INDEX conversation_queue ON conversation (skill_group, priority DESC, queued_at, id) WHERE state = 'queued';
CREATE INDEX conversation_waiting ON conversation (skill_group) WHERE state = 'awaiting_opening';
CREATE INDEX conversation_agent ON conversation (agent) WHERE state = 'assigned';
CREATE INDEX conversation_recent ON conversation (skill_group, last_message_at DESC);

-- Order of a transcript: (sent_at, platform_message_id, id), whatever the order of arrival.
CREATE TABLE message (
    id              uuid        NOT NULL,
    conversation_id uuid        NOT NULL,
    channel         text        NOT NULL,
    external_id     text        NOT NULL,
    direction       text        NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    -- customer, agent, bot or system
    sender          text        NOT NULL CHECK (sender IN ('customer', 'agent', 'bot', 'system')),
    -- The Agent's name when sender is agent.
    agent           text        NOT NULL DEFAULT '',
    -- The platform's id of an inbound message, else ''.
    platform_message_id text    NOT NULL DEFAULT '',
    -- message.Content as JSON.
    content         jsonb       NOT NULL,
    sent_at         timestamptz NOT NULL,
    received_at     timestamptz NOT NULL,
    PRIMARY KEY (received_at, id)
) PARTITION BY RANGE (received_at);
CREATE INDEX message_transcript ON message (conversation_id, sent_at, platform_message_id, id);
CREATE INDEX message_contact ON message (channel, external_id, sent_at);

-- +goose StatementBegin
-- Makes the partitions of the given month and of the two after it. Setup and the routers call it; it is safe to repeat
-- and to run at once.
CREATE FUNCTION ensure_message_partitions(at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    month_start timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('ensure_message_partitions'));
    FOR i IN 0..2 LOOP
        month_start := date_trunc('month', at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + make_interval(months => i);
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF message FOR VALUES FROM (%L) TO (%L)',
            'message_' || to_char(month_start AT TIME ZONE 'UTC', 'YYYYMM'), month_start,
            (month_start AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC');
    END LOOP;
END $$;
-- +goose StatementEnd
SELECT ensure_message_partitions(now());

-- What a consumer has taken in; kept longer than any topic is retained.
CREATE TABLE processed (
    consumer    text        NOT NULL,
    channel     text        NOT NULL,
    message_id  text        NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (consumer, channel, message_id)
);
CREATE INDEX processed_age ON processed (received_at);

-- What must go out, written in the transaction that decided it. Rows of one key are made under a lock of their
-- conversation, agent or case, so ids of a key grow in commit order. A relay owns a shard by an advisory lock, sends in
-- id order and deletes what was acknowledged.
CREATE TABLE outbox (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    destination text        NOT NULL CHECK (destination IN ('kafka', 'temporal')),
    shard       smallint    NOT NULL,
    -- Kafka topic, or for temporal the operation: start:<workflow type> or signal:<name>.
    target      text        NOT NULL,
    -- Partition key, or for temporal the workflow id.
    key         text        NOT NULL,
    event_id    text        NOT NULL,
    event_type  text        NOT NULL,
    subject     text        NOT NULL DEFAULT '',
    payload     jsonb       NOT NULL,
    traceparent text        NOT NULL DEFAULT '',
    tracestate  text        NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL
);
CREATE INDEX outbox_shard ON outbox (destination, shard, id);

-- What became of each outbound message. The row holds the content because a deferred message outlives its Kafka record.
CREATE TABLE delivery (
    message_id  uuid        PRIMARY KEY,
    -- Order per contact.
    seq         bigint      GENERATED ALWAYS AS IDENTITY,
    pool        text        NOT NULL,
    channel     text        NOT NULL,
    external_id text        NOT NULL,
    state       text        NOT NULL CHECK (state IN ('queued', 'sending', 'deferred', 'delivered', 'failed', 'unknown')),
    outbound    jsonb       NOT NULL,
    attempts    integer     NOT NULL DEFAULT 0,
    not_before  timestamptz,
    code        integer     NOT NULL DEFAULT 0,
    reason      text        NOT NULL DEFAULT '',
    -- The replica that is sending; '' otherwise.
    owner       text        NOT NULL DEFAULT '',
    traceparent text        NOT NULL DEFAULT '',
    updated_at  timestamptz NOT NULL,
    -- False until the router was told of the current state.
    reported    boolean     NOT NULL DEFAULT false
);
CREATE INDEX delivery_pending ON delivery (channel, external_id, seq) WHERE state IN ('queued', 'sending', 'deferred');
CREATE INDEX delivery_unreported ON delivery (pool, updated_at) WHERE NOT reported;
CREATE INDEX delivery_work ON delivery (pool, state, not_before) WHERE state IN ('queued', 'sending', 'deferred');
CREATE INDEX delivery_over ON delivery (updated_at) WHERE reported AND state = 'delivered';

-- Inbound envelopes that arrived while Kafka was away; drained in id order by the holder of the pool's advisory lock.
CREATE TABLE spool (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pool       text        NOT NULL,
    envelope   jsonb       NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX spool_pool ON spool (pool, id);

-- Files. The router makes the row of what a customer sent, connectors fetch it from the platform; the desk makes the
-- row of what an agent sends, connectors upload it.
CREATE TABLE media (
    id           uuid        PRIMARY KEY,
    channel      text        NOT NULL,
    -- fetch: to be fetched; stored: data is here; failed: given up, with the reason.
    state        text        NOT NULL CHECK (state IN ('fetch', 'stored', 'failed')),
    platform_id  text        NOT NULL DEFAULT '',
    content_type text        NOT NULL DEFAULT '',
    data         bytea       CHECK (octet_length(data) <= 20971520),
    attempts     integer     NOT NULL DEFAULT 0,
    not_before   timestamptz,
    reason       text        NOT NULL DEFAULT '',
    -- The platform's id of an uploaded file; dies at upload_expires.
    upload_id    text        NOT NULL DEFAULT '',
    upload_expires timestamptz,
    created_at   timestamptz NOT NULL
);
CREATE INDEX media_fetch ON media (channel, not_before) WHERE state = 'fetch';
CREATE INDEX media_age ON media (created_at);

-- Forced refreshes of a platform's access token, which the platform allows 20 times a day and once in 30 s for all replicas together.
CREATE TABLE token_refresh (
    account   text        PRIMARY KEY,
    forced_at timestamptz NOT NULL
);

-- Who works now and how much. Capacity is the Agent's own field; used is a counter, never counted.
CREATE TABLE presence (
    agent         text        PRIMARY KEY,
    on_duty       boolean     NOT NULL DEFAULT false,
    used          integer     NOT NULL DEFAULT 0 CHECK (used >= 0),
    last_assigned_at timestamptz,
    updated_at    timestamptz NOT NULL
);

-- News for each agent's desk, numbered without gaps.
CREATE TABLE feed (
    agent text   PRIMARY KEY,
    seq   bigint NOT NULL
);
CREATE TABLE frame (
    agent      text        NOT NULL,
    seq        bigint      NOT NULL,
    kind       text        NOT NULL,
    payload    jsonb       NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (agent, seq)
);
CREATE INDEX frame_age ON frame (created_at);

-- Signed-in desks. A session dies with the trial token it was made from.
CREATE TABLE session (
    token_sha256       bytea       PRIMARY KEY,
    agent              text        NOT NULL,
    trial_token_sha256 text        NOT NULL,
    created_at         timestamptz NOT NULL,
    expires_at         timestamptz NOT NULL
);
CREATE INDEX session_agent ON session (agent);

-- Complaints; the clocks run in Temporal, this is what desks show. id is the workflow id.
CREATE TABLE complaint (
    id              text        PRIMARY KEY,
    conversation_id uuid        NOT NULL,
    channel         text        NOT NULL,
    external_id     text        NOT NULL,
    skill_group     text        NOT NULL,
    -- open -> escalated -> resolved -> followed_up
    state           text        NOT NULL CHECK (state IN ('open', 'escalated', 'resolved', 'followed_up')),
    -- Rungs of the ladder that were climbed, and the role called last.
    rung            integer     NOT NULL DEFAULT 0,
    escalated_to    text        NOT NULL DEFAULT '',
    opened_at       timestamptz NOT NULL,
    acknowledged_at timestamptz,
    escalated_at    timestamptz,
    resolved_at     timestamptz,
    resolved_by     text        NOT NULL DEFAULT '',
    resolution      text        NOT NULL DEFAULT '',
    follow_up_due   timestamptz,
    followed_up_at  timestamptz,
    follow_up_overdue boolean   NOT NULL DEFAULT false
);
CREATE INDEX complaint_state ON complaint (state, opened_at);
CREATE INDEX complaint_conversation ON complaint (conversation_id);

-- +goose Down
DROP TABLE complaint, session, frame, feed, presence, token_refresh, media, spool, delivery, outbox, processed, message, conversation, quota, contact;
DROP FUNCTION ensure_message_partitions(timestamptz);
