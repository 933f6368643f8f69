-- name: SurveyAdd :exec
-- Notes that a customer was asked how they were served.
INSERT INTO survey (conversation_id, channel, external_id, skill_group, agent, scale, asked_at, remind_at)
VALUES (@conversation_id, @channel, @external_id, @skill_group, @agent, @scale, @asked_at, sqlc.narg('remind_at'))
ON CONFLICT (conversation_id) DO NOTHING;

-- name: SurveyOpenForUpdate :one
-- The newest question that a contact was asked between two times and has not answered, locked.
SELECT * FROM survey WHERE channel = @channel AND external_id = @external_id AND rating IS NULL AND asked_at BETWEEN @since AND @until
ORDER BY asked_at DESC LIMIT 1 FOR UPDATE;

-- name: SaidSince :one
-- Whether a contact was told anything since then outside of the conversation.
SELECT EXISTS (SELECT FROM message m WHERE m.channel = @channel AND m.external_id = @external_id AND m.sent_at > @since
    AND m.direction = 'outbound' AND m.conversation_id <> @conversation_id)::bool AS said;

-- name: SurveyRate :exec
UPDATE survey SET rating = @rating::int, rated_at = @at::timestamptz, poor = @poor, remind_at = NULL WHERE conversation_id = @conversation_id;

-- name: SurveysDue :many
-- Who is to be asked once more.
SELECT conversation_id FROM survey WHERE remind_at <= @now::timestamptz ORDER BY remind_at LIMIT @max_rows;

-- name: SurveyDueForUpdate :one
-- A question that is to be asked once more, locked; no row when another transaction holds it, or has asked.
SELECT * FROM survey WHERE conversation_id = @conversation_id AND remind_at <= @now::timestamptz FOR UPDATE SKIP LOCKED;

-- name: SurveyReminded :exec
UPDATE survey SET remind_at = NULL WHERE conversation_id = @conversation_id;

-- name: SurveyGet :one
SELECT * FROM survey WHERE conversation_id = @conversation_id;

-- name: SurveysPoor :many
-- The ratings that somebody should look at, the newest first.
SELECT * FROM survey WHERE poor AND rated_at > @since::timestamptz ORDER BY rated_at DESC LIMIT @max_rows;

-- name: SurveysPrune :execrows
-- Questions that nobody answered, a thousand a call.
DELETE FROM survey WHERE conversation_id = ANY(ARRAY(
    SELECT s.conversation_id FROM survey s WHERE s.rating IS NULL AND s.asked_at < @before ORDER BY s.asked_at LIMIT 1000));

-- name: ContactBusy :one
-- Whether a contact has a conversation open.
SELECT EXISTS (SELECT FROM conversation WHERE channel = @channel AND external_id = @external_id AND state <> 'closed');
