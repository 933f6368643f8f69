-- name: FramesAdd :exec
-- Numbers frames, keeps them for desks that come back, and puts them into the outbox for those that are connected. behind is
-- how many frames of the same agent come after one. The feeds stay locked until the transaction ends, so that numbers become
-- visible in order; agents in the order of their names, so that two transactions never wait for each other in a circle.
WITH draft AS (
    SELECT unnest(@agents::text[]) AS agent, unnest(@behind::bigint[]) AS behind, unnest(@shards::smallint[]) AS shard,
           unnest(@frames::jsonb[]) AS frame, unnest(@traceparents::text[]) AS traceparent, unnest(@tracestates::text[]) AS tracestate
), advanced AS (
    INSERT INTO feed (agent, seq) SELECT agent, count(*) FROM draft GROUP BY agent ORDER BY agent
    ON CONFLICT (agent) DO UPDATE SET seq = feed.seq + excluded.seq
    RETURNING agent, seq
), numbered AS (
    SELECT draft.*, advanced.seq - draft.behind AS seq FROM draft JOIN advanced ON advanced.agent = draft.agent
), kept AS (
    INSERT INTO frame (agent, seq, kind, payload, created_at)
    SELECT agent, seq, frame->>'kind', frame->'payload', @created_at FROM numbered
)
INSERT INTO outbox (destination, shard, target, key, event_id, event_type, subject, payload, traceparent, tracestate, created_at)
SELECT 'kafka', shard, @topic, agent, agent || '/' || seq, @event_type, agent, frame || jsonb_build_object('seq', seq),
       traceparent, tracestate, @created_at
FROM numbered ORDER BY agent, seq;

-- name: FramesAfter :many
SELECT * FROM frame WHERE agent = @agent AND seq > @after_seq ORDER BY seq LIMIT @max_rows;

-- name: FeedHead :one
SELECT coalesce((SELECT seq FROM feed WHERE agent = @agent), 0)::bigint;

-- name: FramesPrune :execrows
DELETE FROM frame WHERE ctid = ANY(ARRAY(SELECT f.ctid FROM frame f WHERE f.created_at < @before ORDER BY f.created_at LIMIT 1000));
