-- name: OutboxAdd :exec
INSERT INTO outbox (destination, shard, target, key, event_id, event_type, subject, payload, traceparent, tracestate, created_at)
VALUES (@destination, @shard, @target, @key, @event_id, @event_type, @subject, @payload, @traceparent, @tracestate, @created_at);

-- name: OutboxNotify :exec
-- Wakes the relays when the transaction commits.
SELECT pg_notify('outbox', @destination::text);

-- name: OutboxHead :many
-- The first rows of the given shards, in id order. One probe of the index a shard: a backlog of another destination costs nothing.
SELECT o.* FROM unnest(@shards::smallint[]) AS s(shard)
CROSS JOIN LATERAL (
    SELECT * FROM outbox WHERE destination = @destination AND outbox.shard = s.shard ORDER BY id LIMIT @max_rows
) AS o
ORDER BY o.id LIMIT @max_rows;

-- name: OutboxHeadExcept :many
-- As OutboxHead, without targets and lanes that are left alone for now. A lane is what must keep its order: a key of a
-- topic, or a workflow with all that is asked of it. (NOT IN, for its lists are hashed: what is skipped costs little a row.)
SELECT o.* FROM unnest(@shards::smallint[]) AS s(shard)
CROSS JOIN LATERAL (
    SELECT * FROM outbox WHERE destination = @destination AND outbox.shard = s.shard
        AND target NOT IN (SELECT unnest(@targets::text[]))
        AND CASE destination WHEN 'temporal' THEN key ELSE target || ' ' || key END NOT IN (SELECT unnest(@lanes::text[]))
    ORDER BY id LIMIT @max_rows
) AS o
ORDER BY o.id LIMIT @max_rows;

-- name: OutboxDelete :exec
-- One row by its whole key: a list of ids can become a filter over the whole index, when the plan was made for an empty table.
DELETE FROM outbox WHERE destination = @destination AND shard = @shard AND id = @id;

-- name: OutboxDepth :many
SELECT destination, count(*) AS rows, min(created_at)::timestamptz AS oldest FROM outbox GROUP BY destination;

-- name: OutboxClaim :many
-- Takes up to max_locks of the locks for this session; those that another session holds are left out.
SELECT k::int AS lock FROM unnest(@locks::int[]) AS k WHERE pg_try_advisory_lock(@class::int, k) LIMIT @max_locks;

-- name: OutboxRelease :exec
-- Lets go of all locks of this session and tells the other relays.
SELECT pg_advisory_unlock_all(), pg_notify('outbox', @payload::text);
