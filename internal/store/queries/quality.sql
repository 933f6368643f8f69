-- name: QualityEnded :many
-- A page of what may be judged for a day, in the order of the draw: conversations that ended then after an agent had them, that were rated
-- poorly then, or that were marked then; those that no agent ever had for their wait alone. One that is judged for a wait is its agent's who
-- let the customer wait, where that was one. What was given for this day already is among them, so that a page is the same however often it
-- is read; what was given for another is not. Of the drawn_of conversations of its agent that the sample is drawn of it is the nth, or none.
WITH day AS (
    SELECT e.id FROM conversation e WHERE e.state = 'closed' AND e.offered_at IS NOT NULL AND e.closed_at >= @since::timestamptz AND e.closed_at < @until::timestamptz
    UNION
    SELECT s.conversation_id FROM survey s WHERE s.poor AND s.rated_at >= @since AND s.rated_at < @until
    UNION
    SELECT r.conversation_id FROM review r WHERE r.marked_at >= @since AND r.marked_at < @until
), ended AS (
    SELECT c.id, sha256(convert_to(@seed::text || '/', 'UTF8') || uuid_send(c.id)) AS place,
        coalesce(CASE WHEN marked.waited_seconds > @waited_over::int THEN nullif(marked.agent, '') END, c.agent, '') AS agent,
        coalesce(c.agent, '') AS last_agent,
        c.agent IS NOT NULL AND c.closed_at >= @since AND c.closed_at < @until AS drawable,
        coalesce(marked.waited_seconds > @waited_over::int, false) AS slow, coalesce(rated.poor, false) AS poor
    FROM day JOIN conversation c ON c.id = day.id
    LEFT JOIN review marked ON marked.conversation_id = c.id
    LEFT JOIN survey rated ON rated.conversation_id = c.id
    WHERE c.state = 'closed' AND (c.agent IS NOT NULL OR marked.waited_seconds > @waited_over::int)
      AND NOT EXISTS (SELECT FROM quality_review q WHERE q.conversation_id = c.id AND q.day <> @day::text)
), ranked AS (
    SELECT ended.*, row_number() OVER (PARTITION BY agent, drawable ORDER BY place) AS rank, count(*) OVER (PARTITION BY agent, drawable) AS of
    FROM ended
)
SELECT id, place::bytea AS place, agent::text AS agent, last_agent::text AS last_agent, slow::boolean AS slow, poor::boolean AS poor,
    (CASE WHEN drawable THEN rank ELSE 0 END)::int AS nth, of::int AS drawn_of
FROM ranked WHERE place > coalesce(@after::bytea, '') ORDER BY place LIMIT @max_rows;

-- name: QualityUnanswered :many
-- What a customer has sent since then, by which it is seen whether it wants an answer; the text of what is no text is empty. In the
-- order of message_transcript: by received_at the planner walks what the whole brand received since then.
SELECT coalesce(content->>'text', '')::text AS text FROM message
WHERE conversation_id = @conversation_id AND sender = 'customer' AND received_at >= @since::timestamptz
  AND content->>'kind' IN ('text', 'image', 'voice', 'video', 'link', 'miniProgramPage', 'location')
ORDER BY sent_at, platform_message_id, id LIMIT 50;

-- name: QualityReviewAdd :exec
INSERT INTO quality_review (case_id, conversation_id, day, agent, reasons, due_seconds)
VALUES (@case_id, @conversation_id, @day, @agent, @reasons, @due_seconds);

-- name: QualityReviewOf :one
-- The judgement of a conversation.
SELECT sqlc.embed(quality_review), sqlc.embed(service_case)
FROM quality_review JOIN service_case ON service_case.id = quality_review.case_id
WHERE quality_review.conversation_id = @conversation_id;

-- name: QualityReviews :many
-- Judgements; open ones by when they are due, then the newest first. Empty filters let everything through; of an agent are those
-- that were made.
SELECT sqlc.embed(quality_review), sqlc.embed(service_case), sqlc.embed(conversation)
FROM quality_review JOIN service_case ON service_case.id = quality_review.case_id
JOIN conversation ON conversation.id = quality_review.conversation_id
WHERE (NOT @open::boolean OR service_case.closed_at IS NULL)
  AND (@owner::text = '' OR service_case.owner IN ('', @owner::text))
  AND (@agent::text = '' OR (quality_review.agent = @agent::text AND service_case.state <> 'pending'))
ORDER BY service_case.closed_at IS NOT NULL, service_case.due_at, quality_review.day DESC, quality_review.case_id
LIMIT @max_rows;

-- name: QualityScores :many
SELECT * FROM quality_score WHERE case_id = ANY(@case_ids::text[]) ORDER BY case_id, round;

-- name: QualityScoreAdd :exec
INSERT INTO quality_score (case_id, round, judge, script_norms, attitude, expertise, comment, scored_at)
VALUES (@case_id, @round, @judge, @script_norms, @attitude, @expertise, @comment, @scored_at);

-- name: QualityAppeal :exec
UPDATE quality_review SET appeal = @appeal, appealed_at = @at::timestamptz WHERE case_id = @case_id;

-- name: QualityOverdue :many
-- Judgements and appeals that are late and of which a step has not told yet, what is due first first.
SELECT id FROM service_case WHERE kind = 'review' AND closed_at IS NULL AND due_at <= @now::timestamptz
  AND NOT EXISTS (SELECT FROM service_case_event e WHERE e.case_id = service_case.id AND e.step = @step)
ORDER BY due_at, id LIMIT @max_rows;

-- name: QualityOverdueCount :one
-- How many judgements and appeals are late.
SELECT count(*) FROM service_case WHERE kind = 'review' AND closed_at IS NULL AND due_at <= @now::timestamptz;

-- name: QualityAverages :many
-- How each agent's conversations of some days were judged in the end.
SELECT quality_review.agent, count(*) AS reviews, avg(s.script_norms)::float8 AS script_norms, avg(s.attitude)::float8 AS attitude,
    avg(s.expertise)::float8 AS expertise
FROM quality_review JOIN quality_score s ON s.case_id = quality_review.case_id
WHERE quality_review.day >= @since::text AND quality_review.agent <> '' AND (@agent::text = '' OR quality_review.agent = @agent::text)
  AND NOT EXISTS (SELECT FROM quality_score later WHERE later.case_id = s.case_id AND later.round > s.round)
GROUP BY quality_review.agent ORDER BY quality_review.agent;

-- name: QualityTalks :many
-- Conversations that ended in a time after an agent had them, as far as their topic is looked at. Where there are more than
-- max_rows some are drawn, always the same ones. The customer came back who opened another one within a day.
SELECT c.id, c.channel, c.customer_id, c.topic,
    (c.complaints > 0 OR EXISTS (SELECT FROM conversation n WHERE n.customer_id = c.customer_id AND n.opened_at > c.closed_at
        AND n.opened_at <= c.closed_at + interval '24 hours'))::boolean AS back,
    coalesce(rated.scale, '')::text AS scale, coalesce(rated.rating, 0)::int AS rating, coalesce(rated.poor, false)::boolean AS poor,
    ARRAY(SELECT left(m.content->>'text', 200) FROM message m
        WHERE m.conversation_id = c.id AND m.received_at >= c.opened_at - interval '1 day' AND m.sender = 'customer' AND m.content->>'text' <> ''
        ORDER BY m.sent_at, m.platform_message_id, m.id LIMIT 5)::text[] AS asked,
    ARRAY(SELECT left(m.content->>'text', 601) FROM message m
        WHERE m.conversation_id = c.id AND m.received_at >= c.opened_at - interval '1 day' AND m.sender = 'agent' AND m.content->>'text' <> ''
        ORDER BY m.sent_at, m.platform_message_id, m.id LIMIT 8)::text[] AS said
FROM conversation c LEFT JOIN survey rated ON rated.conversation_id = c.id
WHERE c.state = 'closed' AND c.offered_at IS NOT NULL AND c.agent IS NOT NULL AND c.closed_at >= @since::timestamptz AND c.closed_at < @until::timestamptz
ORDER BY md5(c.id::text) LIMIT @max_rows;

-- name: QualityReportPut :exec
INSERT INTO quality_report (name, report, made_at) VALUES (@name, @report, @made_at)
ON CONFLICT (name) DO UPDATE SET report = excluded.report, made_at = excluded.made_at;

-- name: QualityReportGet :one
SELECT * FROM quality_report WHERE name = @name;

-- name: QualityReports :many
-- The newest first.
SELECT name, made_at FROM quality_report ORDER BY name DESC LIMIT @max_rows;
