-- name: WorkloadLock :one
-- Whether this transaction is the one that counts now.
SELECT pg_try_advisory_xact_lock(hashtext('workload'));

-- name: WorkloadCounted :one
-- The start of the last quarter of an hour in which anything was counted; null when nothing ever was.
SELECT max(quarter)::timestamptz AS quarter FROM workload HAVING max(quarter) IS NOT NULL;

-- name: WorkloadCount :execrows
-- Counts anew every quarter of an hour from since, which is the start of one; what has not changed is not written. No event
-- changes afterwards, so that it does not matter how often they are counted. A conversation that was offered since then is
-- open, or has ended since then: indexes find both. (Each state is written out, and until bounds the range, for a plan that is made once.)
INSERT INTO workload (skill_group, quarter, arrivals, handled, handling_seconds)
SELECT events.skill_group, date_bin('15 minutes', events.at, 'epoch'), sum(events.arrivals), sum(events.handled), sum(events.seconds)
FROM (
    SELECT q.offered_at AS at, q.offered_to AS skill_group, 1 AS arrivals, 0 AS handled, 0 AS seconds
    FROM conversation q WHERE q.state = 'queued' AND q.offered_at >= @since::timestamptz
    UNION ALL
    SELECT o.offered_at, o.offered_to, 1, 0, 0
    FROM conversation o WHERE o.state = 'awaiting_opening' AND o.offered_at >= @since::timestamptz
    UNION ALL
    SELECT a.offered_at, a.offered_to, 1, 0, 0
    FROM conversation a WHERE a.state = 'assigned' AND a.offered_at >= @since::timestamptz
    UNION ALL
    SELECT c.offered_at, c.offered_to, 1, 0, 0
    FROM conversation c WHERE c.state = 'closed' AND c.closed_at >= @since::timestamptz AND c.closed_at < @until::timestamptz AND c.offered_at >= @since::timestamptz
    UNION ALL
    SELECT h.closed_at, h.skill_group, 0, 1, least(extract(epoch FROM h.closed_at - h.assigned_at), @longest_seconds::int)::int
    FROM conversation h WHERE h.state = 'closed' AND h.closed_at >= @since::timestamptz AND h.closed_at < @until::timestamptz AND h.offered_at IS NOT NULL
      AND h.agent IS NOT NULL AND h.assigned_at IS NOT NULL
) AS events
WHERE events.skill_group <> ''
GROUP BY 1, 2
ON CONFLICT (skill_group, quarter) DO UPDATE
SET arrivals = excluded.arrivals, handled = excluded.handled, handling_seconds = excluded.handling_seconds
WHERE (workload.arrivals, workload.handled, workload.handling_seconds)
    IS DISTINCT FROM (excluded.arrivals, excluded.handled, excluded.handling_seconds);

-- name: WorkloadArrivals :many
-- Who was offered to each group, by quarter of an hour.
SELECT skill_group, quarter, arrivals FROM workload WHERE quarter >= @since AND quarter < @until AND arrivals > 0 ORDER BY skill_group, quarter;

-- name: WorkloadHistory :many
-- The same of one group, since as long as it goes back.
SELECT quarter, arrivals FROM workload WHERE skill_group = @skill_group AND quarter >= @since AND quarter < @until ORDER BY quarter;

-- name: WorkloadHandling :many
-- How many contacts each group's agents have ended, and how long those took.
SELECT skill_group, sum(handled)::bigint AS handled, sum(handling_seconds)::bigint AS seconds
FROM workload WHERE quarter >= @since AND quarter < @until GROUP BY skill_group HAVING sum(handled) > 0 ORDER BY skill_group;

-- name: WorkloadPrune :execrows
DELETE FROM workload WHERE ctid = ANY(ARRAY(SELECT w.ctid FROM workload w WHERE w.quarter < @before ORDER BY w.quarter LIMIT 1000));
