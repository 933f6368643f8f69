-- name: EmergencyLock :one
-- Whether this transaction is the one that looks for bursts now.
SELECT pg_try_advisory_xact_lock(hashtext('emergency'));

-- name: EmergencyOpen :one
-- No row where one of the scope lasts, or was ended while complaints came as before.
INSERT INTO emergency (skill_group, started_at) VALUES (@skill_group, @started_at)
ON CONFLICT (skill_group) WHERE calm_at IS NULL DO NOTHING
RETURNING number;

-- name: EmergenciesLasting :many
-- Those that are not over, and those that were ended while complaints came as before.
SELECT * FROM emergency WHERE calm_at IS NULL ORDER BY number;

-- name: EmergenciesSince :many
-- When complaints were not as usual.
SELECT * FROM emergency WHERE ended_at IS NULL OR ended_at > @since::timestamptz ORDER BY number;

-- name: EmergencyGet :one
SELECT * FROM emergency WHERE number = @number;

-- name: EmergencyEnd :exec
-- What has ended stays as it ended.
UPDATE emergency SET ended_at = @at::timestamptz WHERE number = @number AND ended_at IS NULL;

-- name: EmergencyCalm :exec
UPDATE emergency SET calm_at = @at::timestamptz WHERE number = @number AND calm_at IS NULL AND ended_at IS NOT NULL;

-- name: ComplaintsIn :many
-- How many complaints of each group came in each window, which is a place in arrays of one length.
SELECT item.place::int AS place, c.skill_group, count(*)::int AS complaints
FROM (SELECT unnest(@places::int[]) AS place, unnest(@froms::timestamptz[]) AS opens, unnest(@untils::timestamptz[]) AS ends) AS item
JOIN complaint c ON c.opened_at > item.opens AND c.opened_at <= item.ends
GROUP BY item.place, c.skill_group ORDER BY item.place, c.skill_group;

-- name: WorkloadSince :one
-- The first quarter of an hour in which anything was counted; null when nothing ever was.
SELECT min(quarter)::timestamptz AS quarter FROM workload HAVING min(quarter) IS NOT NULL;

-- name: ComplaintsBetween :many
-- The complaints of an emergency by channel, group and minute; of one group where it is not empty.
SELECT c.channel, c.skill_group, date_bin('1 minute', c.opened_at, 'epoch')::timestamptz AS minute, count(*)::int AS complaints
FROM complaint c
WHERE c.opened_at > @since::timestamptz AND c.opened_at <= @until::timestamptz AND (@skill_group::text = '' OR c.skill_group = @skill_group)
GROUP BY c.channel, c.skill_group, minute ORDER BY minute, c.channel, c.skill_group;

-- name: ComplaintsAnswered :one
-- How long those who complained waited for the first words of a human, of whom had not heard any before.
SELECT count(*)::int AS asked, count(v.answered_at)::int AS answered,
       coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM v.answered_at - v.offered_at)) FILTER (WHERE v.answered_at IS NOT NULL), 0)::int AS median_seconds,
       coalesce(percentile_cont(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM v.answered_at - v.offered_at)) FILTER (WHERE v.answered_at IS NOT NULL), 0)::int AS slow_seconds
FROM conversation v
WHERE v.offered_at > @since::timestamptz
  AND v.id IN (SELECT c.conversation_id FROM complaint c
               WHERE c.opened_at > @since AND c.opened_at <= @until::timestamptz AND (@skill_group::text = '' OR c.skill_group = @skill_group));
