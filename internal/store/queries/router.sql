-- name: MediaExpect :exec
-- Asks the connectors to fetch a file from the platform.
INSERT INTO media (id, channel, state, platform_id, created_at) VALUES (@id, @channel, 'fetch', @platform_id, @at)
ON CONFLICT (id) DO NOTHING;

-- name: DeliveredConversation :one
-- The conversation and its agent that an outbound message belongs to, with the state in force and what it says.
SELECT c.id, c.agent, d.state, d.code, d.reason, (d.outbound->'content')::jsonb AS content
FROM delivery d JOIN conversation c ON c.id = (d.outbound->>'conversation')::uuid
WHERE d.message_id = @message_id;

-- name: OpenWaiting :many
-- Conversations of a group that wait for its opening; those that another transaction holds come with the next look.
SELECT * FROM conversation WHERE state = 'awaiting_opening' AND skill_group = @skill_group
ORDER BY coalesce(queued_at, opened_at), id LIMIT @max_rows FOR UPDATE SKIP LOCKED;

-- name: WindowsClosing :many
-- Conversations whose customer waits for an answer and can soon be given none, and of whom nobody was told. What the bot says,
-- as that nobody serves now or what the place in the queue is, answers nothing.
SELECT c.id, c.channel, c.external_id, c.skill_group, c.agent, q.window_ends FROM conversation c
JOIN quota q ON q.channel = c.channel AND q.external_id = c.external_id
JOIN LATERAL (
    SELECT m.direction FROM message m WHERE m.conversation_id = c.id AND m.sender <> 'bot'
    ORDER BY m.sent_at DESC, m.platform_message_id DESC, m.id DESC LIMIT 1
) last ON last.direction = 'inbound'
WHERE c.state IN ('queued', 'awaiting_opening', 'assigned') AND q.window_ends > @now AND q.window_ends <= @ending_by
  AND q.warned_ends IS DISTINCT FROM q.window_ends
ORDER BY q.window_ends, c.id LIMIT @max_rows;

-- name: WindowWarned :execrows
-- 1 to the one who is to tell the agents, 0 when they were told, or when the customer wrote meanwhile.
UPDATE quota SET warned_ends = window_ends
WHERE channel = @channel AND external_id = @external_id AND window_ends = @window_ends AND warned_ends IS DISTINCT FROM window_ends;

-- name: QueuedUntold :many
-- Waiting conversations of a group whose customers were not told so, with their place in the queue.
SELECT q.id, q.position::int AS position FROM (
    SELECT id, queued_told, row_number() OVER (ORDER BY coalesce(queue_key, queued_at), id) AS position
    FROM conversation WHERE state = 'queued' AND skill_group = @skill_group
) q WHERE NOT q.queued_told ORDER BY q.position LIMIT @max_rows;

-- name: IdleBotConversations :many
-- Conversations that only the bot took part in and that nobody has touched for long.
SELECT * FROM conversation WHERE state = 'bot' AND last_message_at < @before LIMIT @max_rows FOR UPDATE SKIP LOCKED;

-- name: ProcessedPrune :execrows
-- A thousand rows a call, as every Prune: a transaction that deletes a month's rows would hold up everybody. Call it until it is 0. (ORDER BY keeps
-- plans to the index: without a value, Postgres takes a third of the table for old.)
DELETE FROM processed WHERE ctid = ANY(ARRAY(SELECT p.ctid FROM processed p WHERE p.received_at < @before ORDER BY p.received_at LIMIT 1000));

-- name: DeliveriesPrune :execrows
-- Only what arrived, and what the router knows to have: of a message without a row, a transcript may say that it arrived.
DELETE FROM delivery WHERE message_id = ANY(ARRAY(
    SELECT d.message_id FROM delivery d WHERE d.reported AND d.state = 'delivered' AND d.updated_at < @before ORDER BY d.updated_at LIMIT 1000));

-- name: MessagesOnTheWay :one
-- How many messages to a Channel's customers are not settled: those that a connector has taken over, and the latest that none
-- has yet.
SELECT ((SELECT count(*) FROM delivery d WHERE d.channel = @channel AND d.state IN ('queued', 'sending', 'deferred'))
     + (SELECT count(*) FROM message m WHERE m.channel = @channel AND m.direction = 'outbound' AND m.received_at > @since
          AND NOT EXISTS (SELECT FROM delivery d WHERE d.message_id = m.id)))::bigint AS messages;

-- name: ChannelsSpooled :many
-- Which of the Channels have messages of customers in the spool. What was set aside there is not for Kafka any more.
SELECT c.name::text FROM unnest(@channels::text[]) AS c(name)
WHERE EXISTS (SELECT FROM spool s WHERE s.envelope->>'subject' = c.name AND s.pool NOT LIKE '%/unreadable');

-- name: EnsurePartitions :exec
SELECT ensure_message_partitions(@at);
