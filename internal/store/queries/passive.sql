-- name: PassiveLook :one
-- All that decides what may be said to a contact at once: who has their conversation, where they came from, whether the
-- consumer has taken this message in, and what was said in answer to it before.
SELECT coalesce((SELECT c.state FROM conversation c WHERE c.channel = @channel AND c.external_id = @external_id AND c.state <> 'closed'), '')::text AS state,
       coalesce((SELECT c.topic FROM conversation c WHERE c.channel = @channel AND c.external_id = @external_id AND c.state <> 'closed'), '')::text AS topic,
       coalesce((SELECT c.session_from FROM contact c WHERE c.channel = @channel AND c.external_id = @external_id), '')::text AS session_from,
       EXISTS (SELECT FROM processed p WHERE p.consumer = @consumer AND p.channel = @channel AND p.message_id = @message_id)::bool AS taken,
       coalesce((SELECT r.reply::text FROM passive_reply r
                 WHERE r.channel = @channel AND r.external_id = @external_id AND r.message_id = @message_id LIMIT 1), '')::text AS reply;

-- name: PassiveAdd :execrows
-- 0 when something of the same key was said already.
INSERT INTO passive_reply (channel, external_id, key, message_id, reply, replied_at)
VALUES (@channel, @external_id, @key, @message_id, @reply, @replied_at) ON CONFLICT DO NOTHING;

-- name: PassivePrune :execrows
DELETE FROM passive_reply WHERE ctid = ANY(ARRAY(SELECT r.ctid FROM passive_reply r WHERE r.replied_at < @before ORDER BY r.replied_at LIMIT 1000));

-- name: DeliveryReplied :exec
-- What was said in the answer to a platform's call has arrived.
INSERT INTO delivery (message_id, pool, channel, external_id, state, outbound, updated_at, reported)
VALUES (@message_id, @pool, @channel, @external_id, 'delivered', @outbound, clock_timestamp(), true);
