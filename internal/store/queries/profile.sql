-- name: ProfileWant :exec
-- Asks connectors to find out who a contact is; whom they have asked for already only if it is to be anew.
INSERT INTO profile (channel, external_id, state, login_code, updated_at) VALUES (@channel, @external_id, 'wanted', @login_code, @at)
ON CONFLICT (channel, external_id) DO UPDATE SET state = 'wanted', login_code = excluded.login_code, attempts = 0, not_before = NULL, reason = '',
    updated_at = excluded.updated_at
WHERE @anew::bool;

-- name: ProfileClaim :many
-- Leases profiles to be asked for: not_before keeps other replicas away until the lease ends.
UPDATE profile SET not_before = @lease_ends, attempts = attempts + 1
WHERE (channel, external_id) IN (
    SELECT p.channel, p.external_id FROM profile p
    WHERE p.state = 'wanted' AND p.channel = ANY(@channels::text[]) AND (p.not_before IS NULL OR p.not_before <= @now)
    ORDER BY p.updated_at LIMIT @max_rows FOR UPDATE SKIP LOCKED)
RETURNING channel, external_id, login_code, attempts, updated_at;

-- name: ProfileTell :execrows
-- What the platform said, for the router; nothing when somebody asked anew meanwhile. Who is known without a union id stays known.
UPDATE profile SET state = 'told', login_code = '', union_id = CASE WHEN @union_id::text = '' THEN union_id ELSE @union_id::text END,
    subscribed_at = sqlc.narg('subscribed_at'), subscribe_scene = @subscribe_scene, not_before = NULL, reason = '', updated_at = @at
WHERE channel = @channel AND external_id = @external_id AND state = 'wanted' AND updated_at = @asked_at;

-- name: ProfileRetry :exec
UPDATE profile SET not_before = @not_before, reason = @reason
WHERE channel = @channel AND external_id = @external_id AND state = 'wanted' AND updated_at = @asked_at;

-- name: ProfileFail :exec
UPDATE profile SET state = 'failed', login_code = '', not_before = NULL, reason = @reason
WHERE channel = @channel AND external_id = @external_id AND state = 'wanted' AND updated_at = @asked_at;

-- name: ProfilesDenied :many
-- Of each of the Channels one contact who was given up for the reason.
SELECT DISTINCT ON (channel) channel, external_id FROM profile
WHERE state = 'failed' AND reason = @reason AND channel = ANY(@channels::text[]) ORDER BY channel, updated_at DESC;

-- name: ProfilesWantAgain :execrows
-- Has the platform asked again of those of a Channel who were given up for the reason.
UPDATE profile SET state = 'wanted', not_before = NULL, attempts = 0, reason = '', updated_at = @at
WHERE state = 'failed' AND reason = @reason AND channel = @channel;

-- name: ProfilesTold :many
-- Contacts of whom the platform has said something that the router has not taken in.
SELECT channel, external_id FROM profile WHERE state = 'told' ORDER BY updated_at LIMIT @max_rows;

-- name: ContactForUpdate :one
SELECT * FROM contact WHERE channel = @channel AND external_id = @external_id FOR UPDATE;

-- name: ProfileTake :many
-- What was said of a contact, once.
UPDATE profile SET state = 'known' WHERE channel = @channel AND external_id = @external_id AND state = 'told' RETURNING union_id;

-- name: PersonClaim :one
-- The customer that a person is: the given one, unless there is one already. Whoever comes at the same time waits, and then
-- finds it.
INSERT INTO person (union_id, customer_id) VALUES (@union_id, @customer_id)
ON CONFLICT (union_id) DO UPDATE SET customer_id = person.customer_id
RETURNING customer_id;

-- name: ContactBecomes :exec
UPDATE contact SET customer_id = @customer_id WHERE channel = @channel AND external_id = @external_id;

-- name: ConversationsBecome :exec
-- The contact's conversations are the customer's.
UPDATE conversation SET customer_id = @customer_id
WHERE customer_id = @before AND channel = @channel AND external_id = @external_id;

-- name: DeskContacts :many
-- Where a customer is known, and what the platforms say of them.
SELECT c.channel, c.external_id, c.first_seen, c.last_seen, p.subscribed_at, coalesce(p.subscribe_scene, '')::text AS subscribe_scene
FROM contact c LEFT JOIN profile p ON p.channel = c.channel AND p.external_id = c.external_id
WHERE c.customer_id = @customer_id ORDER BY c.first_seen, c.channel, c.external_id LIMIT @max_rows;

-- name: DeskTimeline :many
-- The newest messages of a customer in the order of the platforms' clocks, whatever the Channel, of the conversations that an
-- agent may see: the newest fifty, as in DeskConversations.
SELECT newest.* FROM (
    SELECT m.id, m.conversation_id, m.channel, m.direction, m.sender, m.agent, m.platform_message_id, m.content, m.sent_at,
        coalesce(d.state, '')::text AS delivery_state, coalesce(d.code, 0)::int AS delivery_code, coalesce(d.reason, '')::text AS delivery_reason
    FROM (
        SELECT c.id FROM conversation c WHERE c.customer_id = @customer_id
          AND (@all_groups::bool OR c.skill_group = ANY(@skill_groups::text[]) OR (c.state = 'assigned' AND c.agent = @agent::text))
        ORDER BY c.opened_at DESC LIMIT 50
    ) seen
    JOIN message m ON m.conversation_id = seen.id
    LEFT JOIN delivery d ON d.message_id = m.id
    ORDER BY m.sent_at DESC, m.platform_message_id DESC, m.id DESC
    LIMIT @max_rows
) newest
ORDER BY newest.sent_at, newest.platform_message_id, newest.id;
