-- name: PassiveLook :one
-- All that decides what may be said to a contact at once: who has their conversation, where they came from, whether the
-- consumer has taken this message in, what was said in answer to it before, and the emergencies that last, with whether the
-- contact was told of each: in their conversation, or at once, of which the router may not know yet.
SELECT coalesce((SELECT c.state FROM conversation c WHERE c.channel = @channel AND c.external_id = @external_id AND c.state <> 'closed'), '')::text AS state,
       coalesce((SELECT c.topic FROM conversation c WHERE c.channel = @channel AND c.external_id = @external_id AND c.state <> 'closed'), '')::text AS topic,
       coalesce((SELECT c.session_from FROM contact c WHERE c.channel = @channel AND c.external_id = @external_id), '')::text AS session_from,
       EXISTS (SELECT FROM processed p WHERE p.consumer = @consumer AND p.channel = @channel AND p.message_id = @message_id)::bool AS taken,
       coalesce(r.reply::text, '')::text AS reply, coalesce(r.withdrawn, false)::bool AS withdrawn,
       coalesce(e.numbers, '{}')::bigint[] AS emergencies, coalesce(e.groups, '{}')::text[] AS emergency_groups, coalesce(e.told, '{}')::bool[] AS emergencies_told
FROM (SELECT) AS always
CROSS JOIN LATERAL (
    SELECT array_agg(m.number ORDER BY m.number) AS numbers, array_agg(m.skill_group ORDER BY m.number) AS groups, array_agg(
               EXISTS (SELECT FROM processed p JOIN conversation c ON p.message_id = 'banner/' || m.number || '/' || c.id
                       WHERE p.consumer = @words AND p.channel = @channel AND c.channel = @channel AND c.external_id = @external_id AND c.state <> 'closed')
               OR EXISTS (SELECT FROM passive_reply b WHERE b.channel = @channel AND b.external_id = @external_id AND b.reply->>'banner' = m.number::text)
           ORDER BY m.number) AS told
    FROM emergency m WHERE m.ended_at IS NULL AND m.calm_at IS NULL) AS e
LEFT JOIN passive_reply r ON r.channel = @channel AND r.external_id = @external_id AND r.message_id = @message_id;

-- name: PassiveAdd :execrows
-- 0 when something of the same key was said already, or something to this message.
INSERT INTO passive_reply (channel, external_id, key, message_id, reply, replied_at, call)
VALUES (@channel, @external_id, @key, @message_id, @reply, @replied_at, @call) ON CONFLICT DO NOTHING;

-- name: PassiveAgain :execrows
-- Says once more what was said to a message, in another call; 0 when it is said otherwise.
UPDATE passive_reply SET call = @call, unheard_since = NULL
WHERE channel = @channel AND external_id = @external_id AND message_id = @message_id AND NOT withdrawn;

-- name: PassiveUnheard :exec
-- The call ended without its answer, unless another came after it.
UPDATE passive_reply SET unheard_since = clock_timestamp()
WHERE channel = @channel AND external_id = @external_id AND message_id = @message_id AND call = @call AND NOT withdrawn;

-- name: PassiveWithdraw :many
-- Takes what nobody has heard for so long out of calls: whoever gets the row says it otherwise.
UPDATE passive_reply SET withdrawn = true, unheard_since = NULL
WHERE (channel, external_id, key) IN (
    SELECT u.channel, u.external_id, u.key FROM passive_reply u
    WHERE u.unheard_since < clock_timestamp() - make_interval(secs => @unheard_for::float8) AND u.channel = ANY(@channels::text[])
    ORDER BY u.unheard_since LIMIT @max_rows FOR UPDATE SKIP LOCKED)
RETURNING channel, external_id, reply;

-- name: PassiveDoubt :execrows
-- A call ended without knowing whether it is remembered to have said something: from here on it has not. 0 where another call has
-- said something to the message.
INSERT INTO passive_reply AS p (channel, external_id, key, message_id, reply, replied_at, call, withdrawn)
VALUES (@channel, @external_id, 'doubt/' || @message_id::text, @message_id, 'null', @at, @call, true)
ON CONFLICT (channel, external_id, message_id) DO UPDATE SET withdrawn = true, unheard_since = NULL
WHERE p.call = excluded.call AND NOT p.withdrawn;

-- name: PassiveReplyOf :one
SELECT reply FROM passive_reply WHERE channel = @channel AND external_id = @external_id AND message_id = @message_id;

-- name: PassivePrune :execrows
DELETE FROM passive_reply WHERE ctid = ANY(ARRAY(SELECT r.ctid FROM passive_reply r WHERE r.replied_at < @before ORDER BY r.replied_at LIMIT 1000));

-- name: DeliveryReplied :exec
-- What was said in the answer to a platform's call has arrived, unless a connector knows better by now.
INSERT INTO delivery (message_id, pool, channel, external_id, state, outbound, updated_at, reported)
VALUES (@message_id, @pool, @channel, @external_id, 'delivered', @outbound, clock_timestamp(), true) ON CONFLICT (message_id) DO NOTHING;

-- name: DeliveryUnheard :exec
-- What was said in the answer to a platform's call has not arrived, and is sent.
INSERT INTO delivery AS d (message_id, pool, channel, external_id, state, outbound, updated_at, reported)
VALUES (@message_id, @pool, @channel, @external_id, 'queued', @outbound, clock_timestamp(), true)
ON CONFLICT (message_id) DO UPDATE SET state = 'queued', updated_at = clock_timestamp() WHERE d.state = 'delivered' AND d.attempts = 0;
