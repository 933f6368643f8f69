-- name: Menus :many
SELECT * FROM menu WHERE channel = ANY(@channels::text[]);

-- name: MenuClaim :many
-- Takes the right to look after a Channel's menu until the lease ends: when it is time again, or another generation came. A
-- replica that has not heard of the newest generation gets none, and so does one that knows another Channel of the name. What
-- was published for that is nothing of ours.
INSERT INTO menu AS m (channel, uid, generation, check_after) VALUES (@channel, @uid, @generation, @lease_ends)
ON CONFLICT (channel) DO UPDATE SET uid = excluded.uid, generation = excluded.generation, check_after = excluded.check_after,
    published = CASE WHEN m.uid = excluded.uid THEN m.published ELSE '' END
WHERE m.uid <> excluded.uid OR m.generation < excluded.generation OR (m.generation = excluded.generation AND m.check_after <= @now)
RETURNING published;

-- name: MenuKept :exec
-- What came of looking, unless somebody looks after a newer generation. published is null where nobody knows.
UPDATE menu SET published = coalesce(sqlc.narg('published'), published), state = @state, code = @code, others = @others, check_after = @check_after
WHERE channel = @channel AND uid = @uid AND generation = @generation;
