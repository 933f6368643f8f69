-- name: ObjectiveLock :one
-- Whether this transaction is the one that measures now.
SELECT pg_try_advisory_xact_lock(hashtext('objective'));

-- name: Objectives :many
-- What was measured last.
SELECT * FROM objective ORDER BY service_level;

-- name: ObjectivePut :exec
INSERT INTO objective (service_level, rules, measured, measured_at) VALUES (@service_level, @rules, @measured, @measured_at)
ON CONFLICT (service_level) DO UPDATE SET rules = excluded.rules, measured = excluded.measured, measured_at = excluded.measured_at;

-- name: ObjectivesForget :exec
-- Lets go of what is wanted no more.
DELETE FROM objective WHERE service_level <> ALL(@service_levels::text[]);

-- name: ObjectiveEnded :one
-- How many conversations of Channels ended in a time, by what became of them: how many never went to a human, how many came into a
-- queue, and how many of those were answered in time. Of a desk of before, which noted less, the clock on the wall counts.
SELECT count(*) AS ended,
    count(*) FILTER (WHERE c.offered_at IS NULL AND c.agent IS NULL AND c.skill_group = '') AS contained,
    count(*) FILTER (WHERE c.offered_at IS NOT NULL) AS offered,
    count(*) FILTER (WHERE c.offered_at IS NOT NULL AND c.answered_at IS NOT NULL
        AND coalesce(c.answered_seconds, extract(epoch FROM c.answered_at - c.offered_at)) <= @within_seconds::int) AS answered
FROM conversation c
WHERE c.state = 'closed' AND c.closed_at >= @since::timestamptz AND c.closed_at < @until::timestamptz AND c.close_reason = ''
  AND c.channel = ANY(@channels::text[]);

-- name: ObjectiveResolved :one
-- How many conversations ended in a time that an agent had, and how many of these were solved: the customer neither came back within a
-- day, nor complained, nor rated it poorly.
SELECT count(*) AS ended,
    count(*) FILTER (WHERE c.complaints = 0 AND NOT coalesce(rated.poor, false) AND NOT EXISTS (
        SELECT FROM conversation n WHERE n.customer_id = c.customer_id AND n.opened_at > c.closed_at AND n.opened_at <= c.closed_at + interval '24 hours')) AS solved
FROM conversation c LEFT JOIN survey rated ON rated.conversation_id = c.id
WHERE c.state = 'closed' AND c.closed_at >= @since::timestamptz AND c.closed_at < @until::timestamptz AND c.close_reason = ''
  AND c.offered_at IS NOT NULL AND c.agent IS NOT NULL AND c.channel = ANY(@channels::text[]);

-- name: ObjectiveRated :one
-- How many customers rated in a time, and the sum of their ratings from 1 to 5.
SELECT count(*) AS ratings, coalesce(sum(CASE s.scale WHEN 'ThreeLevels' THEN 2 * s.rating - 1 ELSE s.rating END), 0)::bigint AS points
FROM survey s WHERE s.rating IS NOT NULL AND s.rated_at >= @since::timestamptz AND s.rated_at < @until::timestamptz AND s.channel = ANY(@channels::text[]);
