-- name: QueueOver :many
-- Who waits in a group for too long, or came when it was full, and was not taken over by another group before; the first come
-- first.
SELECT id FROM (
    SELECT id, overflowed, coalesce(waiting_since, queued_at) AS since,
        row_number() OVER (ORDER BY coalesce(waiting_since, queued_at), id) AS arrival
    FROM conversation WHERE state = 'queued' AND skill_group = @skill_group
) q WHERE NOT overflowed AND (since <= @waiting_before::timestamptz OR arrival > @max_length::bigint) ORDER BY arrival LIMIT @max_rows;

-- name: QueueStaffed :one
-- How many wait in a group, and whether one of its agents is on duty.
SELECT (SELECT count(*) FROM conversation WHERE state = 'queued' AND skill_group = @skill_group) AS waiting,
    EXISTS (SELECT FROM presence WHERE on_duty AND agent = ANY(@agents::text[])) AS staffed;

-- name: QueuePace :one
-- How many conversations a group has taken of late, and since when.
SELECT count(*) AS taken, coalesce(min(assigned_at), @since)::timestamptz AS since
FROM conversation WHERE skill_group = @skill_group AND assigned_at >= @since::timestamptz;

-- name: QueueSort :execrows
-- Gives those who wait in a group, and were queued under other rules, the keys that they would have now.
UPDATE conversation c SET queue_key = k.key
FROM (
    SELECT q.id, q.queued_at - least(greatest(q.priority, 0), 32000) * make_interval(secs => @point_seconds::float8) AS key
    FROM conversation q WHERE q.state = 'queued' AND q.skill_group = @skill_group ORDER BY q.id FOR UPDATE
) k
WHERE c.id = k.id AND c.queue_key IS DISTINCT FROM k.key;

-- name: QueueAlertRaise :execrows
-- 1 to the one who is to tell the agents, 0 when they were told.
INSERT INTO queue_alert (skill_group, raised_at) VALUES (@skill_group, @at) ON CONFLICT DO NOTHING;

-- name: QueueAlertEnd :execrows
-- An alert lasts for a while, so that a queue around the limit does not alert every second.
DELETE FROM queue_alert WHERE skill_group = @skill_group AND raised_at < @raised_before;

-- name: QueueAlerts :many
-- The queues whose agents were alerted.
SELECT skill_group FROM queue_alert;
