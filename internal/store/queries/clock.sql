-- The clocks of conversations: whoever claims what is due tells of it, and nobody else does.

-- name: ClocksDue :one
-- Whether somebody is to be told now that a customer waits for too long.
SELECT (EXISTS (SELECT FROM conversation r WHERE r.state = 'assigned' AND r.remind_at <= @now::timestamptz)
    OR EXISTS (SELECT FROM conversation l WHERE l.state IN ('queued', 'assigned') AND l.late_at <= @now::timestamptz)
    OR EXISTS (SELECT FROM conversation s WHERE s.state IN ('queued', 'assigned') AND s.resolve_at <= @now::timestamptz))::bool AS due;

-- name: RemindClaim :many
-- The conversations whose agents are to be reminded that they have not answered; each is claimed once.
UPDATE conversation SET remind_at = NULL
WHERE id = ANY(ARRAY(
    SELECT r.id FROM conversation r WHERE r.state = 'assigned' AND r.remind_at <= @now::timestamptz ORDER BY r.remind_at LIMIT @max_rows FOR UPDATE SKIP LOCKED))
RETURNING *;

-- name: LateClaim :many
-- The conversations whose customers have not heard from a human in time; each is claimed once.
UPDATE conversation SET late_at = NULL
WHERE id = ANY(ARRAY(
    SELECT l.id FROM conversation l WHERE l.state IN ('queued', 'assigned') AND l.late_at <= @now::timestamptz
    ORDER BY l.late_at LIMIT @max_rows FOR UPDATE SKIP LOCKED))
RETURNING *;

-- name: ResolveClaim :many
-- The conversations whose customers' questions are not solved in time; each is claimed once.
UPDATE conversation SET resolve_at = NULL
WHERE id = ANY(ARRAY(
    SELECT s.id FROM conversation s WHERE s.state IN ('queued', 'assigned') AND s.resolve_at <= @now::timestamptz
    ORDER BY s.resolve_at LIMIT @max_rows FOR UPDATE SKIP LOCKED))
RETURNING *;

-- name: ReviewMark :exec
-- Has a conversation looked at in which a customer waited too long: again, if somebody has looked at it before.
INSERT INTO review (conversation_id, agent, waited_seconds, marked_at) VALUES (@conversation_id, @agent, @waited_seconds, @marked_at)
ON CONFLICT (conversation_id) DO UPDATE
SET agent = excluded.agent, waited_seconds = excluded.waited_seconds, marked_at = excluded.marked_at, reviewed_at = NULL, reviewed_by = ''
WHERE review.reviewed_at IS NOT NULL OR review.waited_seconds < excluded.waited_seconds;

-- name: Reviews :many
-- What nobody has looked at yet, the oldest first.
SELECT sqlc.embed(conversation), review.agent AS late_agent, review.waited_seconds, review.marked_at
FROM review JOIN conversation ON conversation.id = review.conversation_id
WHERE review.reviewed_at IS NULL ORDER BY review.marked_at, review.conversation_id LIMIT @max_rows;

-- name: ReviewDone :execrows
-- 1 to the one who has looked first, 0 where nothing is to be looked at.
UPDATE review SET reviewed_at = @at::timestamptz, reviewed_by = @reviewed_by WHERE conversation_id = @conversation_id AND reviewed_at IS NULL;
