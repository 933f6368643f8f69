-- What a batch of inbound messages asks for, in one statement a table. Arrays of one call have one length.

-- name: IntakeFresh :many
-- The messages that the consumer had not taken in before.
INSERT INTO processed (consumer, channel, message_id, received_at)
SELECT @consumer, item.channel, item.message_id, @at
FROM (SELECT unnest(@channels::text[]) AS channel, unnest(@message_ids::text[]) AS message_id) AS item
ON CONFLICT DO NOTHING
RETURNING channel, message_id;

-- name: IntakeContacts :many
-- The contacts, each once and in the order of their names: the order in which everybody locks them.
INSERT INTO contact (channel, external_id, customer_id, first_seen, last_seen)
SELECT item.channel, item.external_id, item.customer_id, item.at, item.at
FROM (SELECT unnest(@channels::text[]) AS channel, unnest(@external_ids::text[]) AS external_id,
             unnest(@customer_ids::uuid[]) AS customer_id, unnest(@ats::timestamptz[]) AS at) AS item
ORDER BY item.channel, item.external_id
ON CONFLICT (channel, external_id) DO UPDATE SET last_seen = greatest(contact.last_seen, excluded.last_seen)
RETURNING *;

-- name: IntakeConversations :many
-- The contacts' open conversations, locked.
SELECT c.* FROM conversation c
JOIN (SELECT unnest(@channels::text[]) AS channel, unnest(@external_ids::text[]) AS external_id) AS item
  ON item.channel = c.channel AND item.external_id = c.external_id
WHERE c.state <> 'closed' ORDER BY c.channel, c.external_id FOR UPDATE OF c;

-- name: IntakeQuotas :many
-- The contacts' quotas, locked.
SELECT q.* FROM quota q
JOIN (SELECT unnest(@channels::text[]) AS channel, unnest(@external_ids::text[]) AS external_id) AS item
  ON item.channel = q.channel AND item.external_id = q.external_id
ORDER BY q.channel, q.external_id FOR UPDATE OF q;

-- name: IntakeQuotasSet :exec
INSERT INTO quota (channel, external_id, window_ends, remaining, granted, session_ends, session_remaining, session_granted)
SELECT unnest(@channels::text[]), unnest(@external_ids::text[]), unnest(@window_ends::timestamptz[]), unnest(@remaining::int[]),
       unnest(@granted::int[]), unnest(@session_ends::timestamptz[]), unnest(@session_remaining::int[]), unnest(@session_granted::int[])
ON CONFLICT (channel, external_id) DO UPDATE SET window_ends = excluded.window_ends, remaining = excluded.remaining, granted = excluded.granted,
    session_ends = excluded.session_ends, session_remaining = excluded.session_remaining, session_granted = excluded.session_granted;

-- name: IntakeTouches :exec
-- Messages came and nothing else changed but that somebody may wait for an answer: desks know from the messages themselves. The
-- epoch stands for no time.
UPDATE conversation c SET last_message_at = greatest(c.last_message_at, item.at),
    asked_since = nullif(item.asked_since, 'epoch'), remind_at = nullif(item.remind_at, 'epoch')
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@ats::timestamptz[]) AS at,
             unnest(@asked_since::timestamptz[]) AS asked_since, unnest(@remind_at::timestamptz[]) AS remind_at) AS item
WHERE c.id = item.id AND (c.last_message_at < item.at OR c.asked_since IS DISTINCT FROM nullif(item.asked_since, 'epoch'));

-- name: ContactEntered :exec
-- Where the customer came from this time; routing reads it.
UPDATE contact SET session_from = @session_from WHERE channel = @channel AND external_id = @external_id;
