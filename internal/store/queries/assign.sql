-- name: SeatTake :one
-- Chooses who gets a conversation and takes its weight of their capacity: among those on duty with room for it who have the
-- lowest rank, the one whom the strategy puts first, of equals whoever got one the longest ago. A seat that another
-- transaction holds is passed over. What weighs more than an agent has takes all of it. The database's clock tells the turns,
-- for there is one of it.
WITH chosen AS MATERIALIZED (
    SELECT p.agent, least(@weight::int, m.capacity)::int AS weight
    FROM presence p
    JOIN (SELECT unnest(@agents::text[]) AS agent, unnest(@capacities::int[]) AS capacity, unnest(@ranks::int[]) AS rank) m ON m.agent = p.agent
    WHERE p.on_duty AND p.used < m.capacity AND p.used + least(@weight::int, m.capacity) <= m.capacity
    ORDER BY m.rank,
        CASE @strategy::text
            WHEN 'RoundRobin' THEN 0
            WHEN 'LongestIdle' THEN (p.used > 0)::int
            ELSE p.used::float8 / m.capacity
        END,
        CASE WHEN @strategy::text = 'LongestIdle' AND p.used = 0 THEN p.idle_since END NULLS FIRST,
        p.last_assigned_at NULLS FIRST, p.agent
    LIMIT 1 FOR UPDATE OF p SKIP LOCKED
)
UPDATE presence SET used = used + chosen.weight, last_assigned_at = clock_timestamp(), updated_at = @at::timestamptz
FROM chosen WHERE presence.agent = chosen.agent
RETURNING presence.agent, chosen.weight;

-- name: LastServedBy :one
-- The agent who had the customer's last conversation that ended, if that was since then.
SELECT agent::text FROM conversation
WHERE state = 'closed' AND agent IS NOT NULL AND customer_id = @customer_id AND closed_at >= @since::timestamptz
ORDER BY closed_at DESC LIMIT 1;

-- name: OverdueHead :one
-- Of the group's conversations that nobody has answered, the one that was assigned the longest ago and for which somebody on
-- duty has room who has not had it yet.
SELECT * FROM conversation
WHERE state = 'assigned' AND skill_group = @skill_group AND unanswered_since <= @before::timestamptz
  AND EXISTS (
    SELECT FROM presence p
    JOIN (SELECT unnest(@agents::text[]) AS agent, unnest(@capacities::int[]) AS capacity) m ON m.agent = p.agent
    WHERE p.on_duty AND p.used < m.capacity AND p.used + least(conversation.weight, m.capacity) <= m.capacity
      AND p.agent <> conversation.agent AND NOT p.agent = ANY(conversation.passed_by))
ORDER BY unanswered_since, id LIMIT 1 FOR UPDATE SKIP LOCKED;

-- name: OverdueGroups :many
-- Those of the groups in which a conversation was assigned before the group's time and nobody has answered it.
SELECT g.name::text FROM (SELECT unnest(@skill_groups::text[]) AS name, unnest(@befores::timestamptz[]) AS before) g
WHERE EXISTS (
    SELECT FROM conversation c
    WHERE c.state = 'assigned' AND c.skill_group = g.name AND c.unanswered_since <= g.before);

-- name: PresenceLock :exec
SELECT FROM presence WHERE agent = @agent FOR UPDATE;
