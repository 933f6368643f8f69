-- name: FeedAdvance :one
-- Takes the next numbers of an agent's feed; the row stays locked until the transaction ends, so that numbers become visible in order.
INSERT INTO feed (agent, seq) VALUES (@agent, @count::bigint)
ON CONFLICT (agent) DO UPDATE SET seq = feed.seq + @count::bigint
RETURNING seq;

-- name: FrameAdd :exec
INSERT INTO frame (agent, seq, kind, payload, created_at) VALUES (@agent, @seq, @kind, @payload, @created_at);

-- name: FramesAfter :many
SELECT * FROM frame WHERE agent = @agent AND seq > @after_seq ORDER BY seq LIMIT @max_rows;

-- name: FeedHead :one
SELECT coalesce((SELECT seq FROM feed WHERE agent = @agent), 0)::bigint;

-- name: FramesPrune :execrows
DELETE FROM frame WHERE ctid = ANY(ARRAY(SELECT f.ctid FROM frame f WHERE f.created_at < @before LIMIT 1000));
