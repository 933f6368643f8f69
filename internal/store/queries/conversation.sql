-- name: ConversationOpenForUpdate :one
-- The contact's open conversation, locked.
SELECT * FROM conversation WHERE channel = @channel AND external_id = @external_id AND state <> 'closed' FOR UPDATE;

-- name: ConversationForUpdate :one
SELECT * FROM conversation WHERE id = @id FOR UPDATE;

-- name: ConversationGet :one
SELECT * FROM conversation WHERE id = @id;

-- name: ConversationAdd :one
INSERT INTO conversation (id, channel, external_id, customer_id, tier, state, opened_at, last_message_at)
VALUES (@id, @channel, @external_id, @customer_id, @tier, 'bot', @opened_at, @opened_at)
RETURNING *;

-- name: ConversationUpdate :one
-- Writes all that may change; the caller holds the lock and the row as it was.
UPDATE conversation SET
    state = @state, skill_group = @skill_group, routing_rule = @routing_rule, topic = @topic, priority = @priority,
    agent = sqlc.narg('agent'), queued_at = sqlc.narg('queued_at'), queue_key = sqlc.narg('queue_key'),
    waiting_since = sqlc.narg('waiting_since'), overflowed = @overflowed, assigned_at = sqlc.narg('assigned_at'),
    closed_at = sqlc.narg('closed_at'), due_at = sqlc.narg('due_at'), last_message_at = @last_message_at,
    off_hours_told = @off_hours_told, queued_told = @queued_told, complaints = @complaints,
    unanswered_since = sqlc.narg('unanswered_since'), passed_by = coalesce(@passed_by::text[], '{}'), weight = @weight,
    offered_at = sqlc.narg('offered_at'), offered_to = @offered_to, asked_since = sqlc.narg('asked_since'), remind_at = sqlc.narg('remind_at'),
    answered_at = sqlc.narg('answered_at'), answered_seconds = sqlc.narg('answered_seconds'), late_at = sqlc.narg('late_at'), resolve_at = sqlc.narg('resolve_at'), intake = sqlc.narg('intake'), close_reason = @close_reason, version = version + 1
WHERE id = @id
RETURNING *;

-- name: QueueHead :one
-- The group's next conversation; one that another transaction holds is passed over, whoever holds it assigns again afterwards.
SELECT * FROM conversation WHERE state = 'queued' AND skill_group = @skill_group
ORDER BY coalesce(queue_key, queued_at), id LIMIT 1 FOR UPDATE SKIP LOCKED;

-- name: QueueHeadWithout :one
-- The same of those that did not come by the routes (<channel>/<rule>) for which no seat was found. It goes from route to route and
-- looks at the first few of each, so that it reads as many rows however many are left out.
WITH RECURSIVE route AS (
    (SELECT f.channel, f.routing_rule FROM conversation f WHERE f.state = 'queued' AND f.skill_group = @skill_group
     ORDER BY f.channel, f.routing_rule LIMIT 1)
    UNION ALL
    SELECT n.channel, n.routing_rule FROM route r CROSS JOIN LATERAL (
        SELECT c.channel, c.routing_rule FROM conversation c
        WHERE c.state = 'queued' AND c.skill_group = @skill_group AND (c.channel, c.routing_rule) > (r.channel, r.routing_rule)
        ORDER BY c.channel, c.routing_rule LIMIT 1) n
)
SELECT q.* FROM conversation q WHERE q.state = 'queued' AND q.skill_group = @skill_group AND q.id = ANY(ARRAY(
    SELECT h.id FROM route r CROSS JOIN LATERAL (
        SELECT c.id FROM conversation c
        WHERE c.state = 'queued' AND c.skill_group = @skill_group AND c.channel = r.channel AND c.routing_rule = r.routing_rule
        ORDER BY coalesce(c.queue_key, c.queued_at), c.id LIMIT 8) h
    WHERE (r.channel || '/' || r.routing_rule) <> ALL(@without_routes::text[])))
ORDER BY coalesce(q.queue_key, q.queued_at), q.id LIMIT 1 FOR UPDATE SKIP LOCKED;

-- name: Standings :many
-- How many conversations wait in each group, by their state and since when the first of them, and how many each agent has
-- (state assigned).
SELECT state, skill_group AS name, count(*) AS conversations, min(coalesce(waiting_since, queued_at, opened_at))::timestamptz AS oldest
FROM conversation WHERE state IN ('queued', 'awaiting_opening') GROUP BY state, skill_group
UNION ALL
SELECT state, coalesce(agent, ''), count(*), 'epoch' FROM conversation WHERE state = 'assigned' GROUP BY state, agent;

-- name: ConversationsInGroup :many
-- The first conversations that wait in a group, in one of the states. Each has an index of its own, which a plan that is made
-- once uses only when the state is written out.
SELECT id FROM (
    SELECT q.id, q.queued_at, q.opened_at FROM conversation q
    WHERE q.state = 'queued' AND q.skill_group = @skill_group AND 'queued' = ANY(@states::text[])
    UNION ALL
    SELECT a.id, a.queued_at, a.opened_at FROM conversation a
    WHERE a.state = 'awaiting_opening' AND a.skill_group = @skill_group AND 'awaiting_opening' = ANY(@states::text[])
) AS waiting ORDER BY queued_at NULLS FIRST, opened_at, id LIMIT @max_rows;

-- name: ConversationsOfAgent :many
SELECT id FROM conversation WHERE state = 'assigned' AND agent = @agent::text ORDER BY assigned_at, id LIMIT @max_rows;

-- name: ChannelsTalking :many
-- The Channels with open conversations.
SELECT DISTINCT channel FROM conversation WHERE state <> 'closed';

-- name: ConversationsOfChannel :many
-- The open conversations of a Channel in which nothing was said since then.
SELECT id FROM conversation WHERE channel = @channel AND state <> 'closed' AND last_message_at < @before AND opened_at < @before ORDER BY opened_at, id LIMIT @max_rows;

-- name: PresenceRelease :exec
UPDATE presence SET used = greatest(used - @weight, 0), idle_since = CASE WHEN used <= @weight THEN @at::timestamptz ELSE idle_since END, updated_at = @at::timestamptz
WHERE agent = @agent AND used > 0;

-- name: PresenceSet :one
INSERT INTO presence (agent, on_duty, idle_since, updated_at) VALUES (@agent, @on_duty, @at::timestamptz, @at::timestamptz)
ON CONFLICT (agent) DO UPDATE SET
    on_duty = @on_duty, idle_since = CASE WHEN @on_duty AND NOT presence.on_duty THEN @at::timestamptz ELSE presence.idle_since END, updated_at = @at::timestamptz
RETURNING *;

-- name: PresenceGet :one
SELECT * FROM presence WHERE agent = @agent;

-- name: SpokenSince :one
-- Whether an agent has said something in a conversation since then.
SELECT EXISTS (SELECT FROM message WHERE conversation_id = @conversation_id AND agent = @agent AND direction = 'outbound' AND sent_at >= @since::timestamptz);

-- name: MessageAdd :exec
INSERT INTO message (id, conversation_id, channel, external_id, direction, sender, agent, platform_message_id, content, sent_at, received_at)
VALUES (@id, @conversation_id, @channel, @external_id, @direction, @sender, @agent, @platform_message_id, @content, @sent_at, @received_at);

-- name: Transcript :many
-- The messages of a conversation in the order of the platform's clock, each with what became of it.
SELECT m.id, m.direction, m.sender, m.agent, m.content, m.sent_at, m.received_at,
    coalesce(d.state, '')::text AS delivery_state, coalesce(d.code, 0)::int AS delivery_code, coalesce(d.reason, '')::text AS delivery_reason
FROM message m LEFT JOIN delivery d ON d.message_id = m.id
WHERE m.conversation_id = @conversation_id
ORDER BY m.sent_at, m.platform_message_id, m.id
LIMIT @max_rows;

-- name: ProcessedAdd :execrows
-- 1 when the message is new to the consumer, 0 when it was taken in before.
INSERT INTO processed (consumer, channel, message_id, received_at) VALUES (@consumer, @channel, @message_id, @received_at)
ON CONFLICT DO NOTHING;
