-- name: QuotaForUpdate :one
SELECT * FROM quota WHERE channel = @channel AND external_id = @external_id FOR UPDATE;

-- name: QuotaGet :one
SELECT * FROM quota WHERE channel = @channel AND external_id = @external_id;

-- name: QuotaSet :exec
INSERT INTO quota (channel, external_id, window_ends, remaining, granted, session_ends, session_remaining, session_granted)
VALUES (@channel, @external_id, @window_ends, @remaining, @granted, @session_ends, @session_remaining, @session_granted)
ON CONFLICT (channel, external_id) DO UPDATE SET window_ends = excluded.window_ends, remaining = excluded.remaining, granted = excluded.granted,
    session_ends = excluded.session_ends, session_remaining = excluded.session_remaining, session_granted = excluded.session_granted;

-- name: QuotaPledged :one
-- How many messages are on their way to a contact and not spent yet: those that no connector has taken over so far, and those
-- that one has and is not sending. Notices cost nothing, nor does what is not sent any more because an agent has the conversation.
SELECT ((SELECT count(*) FROM delivery d WHERE d.channel = @channel AND d.external_id = @external_id AND d.state IN ('queued', 'deferred')
           AND d.outbound->'content'->>'kind' IS DISTINCT FROM 'notice'
           AND NOT (d.outbound ? 'whileWaiting' AND EXISTS (SELECT FROM conversation c WHERE c.id = (d.outbound->>'conversation')::uuid AND c.state IN ('assigned', 'closed'))))
      + (SELECT count(*) FROM message m WHERE m.channel = @channel AND m.external_id = @external_id AND m.direction = 'outbound'
           AND m.content->>'kind' IS DISTINCT FROM 'notice' AND m.sent_at > @since AND m.received_at > @since AND NOT EXISTS (SELECT FROM delivery d WHERE d.message_id = m.id)))::int AS messages;

-- name: DeliveryInsert :many
-- updated_at is the database's time here and below, and so is what it is compared with: replicas' clocks differ.
-- Ids are given in the order of the arrays: the order of a contact's messages.
INSERT INTO delivery (message_id, pool, channel, external_id, state, outbound, traceparent, updated_at, reported)
SELECT message_id, @pool, channel, external_id, 'queued', outbound, traceparent, clock_timestamp(), true
FROM (SELECT unnest(@message_ids::uuid[]) AS message_id, unnest(@channels::text[]) AS channel, unnest(@external_ids::text[]) AS external_id,
             unnest(@outbounds::jsonb[]) AS outbound, unnest(@traceparents::text[]) AS traceparent,
             generate_subscripts(@message_ids::uuid[], 1) AS position) AS batch
ORDER BY position
ON CONFLICT (message_id) DO NOTHING
RETURNING channel, external_id;

-- name: ContactLock :exec
-- One replica at a time decides what is sent to a contact next.
SELECT pg_advisory_xact_lock(hashtextextended(@channel::text || '/' || @external_id::text, 7));

-- name: DeliveryHead :one
-- The contact's oldest message that is not settled. One that is still being sent after so long is lost. A notice that waits for
-- its next try holds up the notices after it and no talk. What is of use only while nobody has the conversation is superseded when
-- somebody has it.
SELECT sqlc.embed(d), (d.state = 'sending' AND d.updated_at < statement_timestamp() - make_interval(secs => @lost_after::float8))::bool AS lost,
       (d.outbound ? 'whileWaiting' AND EXISTS (SELECT FROM conversation c WHERE c.id = (d.outbound->>'conversation')::uuid AND c.state IN ('assigned', 'closed')))::bool AS superseded
FROM delivery d
WHERE d.channel = @channel AND d.external_id = @external_id AND d.state IN ('queued', 'sending', 'deferred')
  AND NOT (d.outbound->'content'->>'kind' = 'notice' AND EXISTS (SELECT FROM delivery w
           WHERE w.channel = d.channel AND w.external_id = d.external_id AND w.state = 'deferred' AND w.not_before > @now AND w.seq <= d.seq
             AND w.outbound->'content'->>'kind' = 'notice'))
ORDER BY d.seq LIMIT 1 FOR UPDATE OF d;

-- name: DeliverySending :exec
UPDATE delivery SET state = 'sending', owner = @owner, attempts = attempts + 1, updated_at = clock_timestamp() WHERE message_id = @message_id;

-- name: DeliveryEnd :one
-- Ends a message which nobody is sending.
UPDATE delivery SET state = @state, code = @code, reason = @reason, owner = '', updated_at = clock_timestamp(), reported = false
WHERE message_id = @message_id RETURNING *;

-- name: DeliverySettle :many
-- Writes the result of a call, unless it took so long that another replica has given the message up.
UPDATE delivery SET state = @state, code = @code, reason = @reason, platform_id = @platform_id, not_before = @not_before, owner = '', updated_at = clock_timestamp(), reported = false
WHERE message_id = @message_id AND state = 'sending' AND owner = @owner RETURNING *;

-- name: DeliveryOfPlatform :one
-- What the platform knows by a name of its own.
SELECT message_id, state FROM delivery WHERE channel = @channel AND platform_id = @platform_id AND platform_id <> '' AND external_id = @external_id
ORDER BY seq DESC LIMIT 1 FOR UPDATE;

-- name: DeliveryDue :many
-- Contacts whose oldest unsettled message can be worked on now.
SELECT channel, external_id FROM (
    SELECT DISTINCT ON (d.channel, d.external_id) d.channel, d.external_id, d.state, d.not_before, d.updated_at FROM delivery d
    WHERE d.channel = ANY(@channels::text[]) AND d.state IN ('queued', 'sending', 'deferred')
      AND NOT (d.outbound->'content'->>'kind' = 'notice' AND EXISTS (SELECT FROM delivery w
             WHERE w.channel = d.channel AND w.external_id = d.external_id AND w.state = 'deferred' AND w.not_before > @now AND w.seq <= d.seq
               AND w.outbound->'content'->>'kind' = 'notice'))
    ORDER BY d.channel, d.external_id, d.seq) AS head
WHERE (state = 'queued' AND updated_at < statement_timestamp() - make_interval(secs => @queued_for::float8)) OR (state = 'deferred' AND not_before <= @now)
   OR (state = 'sending' AND updated_at < statement_timestamp() - make_interval(secs => @lost_after::float8))
LIMIT @max_rows;

-- name: DeliveryUnreported :many
SELECT * FROM delivery WHERE pool = @pool AND NOT reported AND updated_at < statement_timestamp() - make_interval(secs => @unreported_for::float8) ORDER BY updated_at LIMIT @max_rows;

-- name: DeliveryReported :exec
-- A row that changed since it was reported stays unreported.
UPDATE delivery SET reported = true
FROM (SELECT unnest(@message_ids::uuid[]) AS message_id, unnest(@updated_ats::timestamptz[]) AS updated_at) AS batch
WHERE delivery.message_id = batch.message_id AND delivery.updated_at = batch.updated_at;

-- name: SpoolAdd :exec
INSERT INTO spool (pool, envelope, created_at)
SELECT @pool, unnest(@envelopes::jsonb[]), @now;

-- name: SpoolHead :many
-- Without the keys that are left alone for now. (NOT IN, for its list is hashed: what is skipped costs little a row.)
SELECT * FROM spool WHERE pool = @pool AND coalesce(envelope->>'key', '') NOT IN (SELECT unnest(@left_out::text[]))
ORDER BY id LIMIT @max_rows;

-- name: SpoolDelete :exec
DELETE FROM spool WHERE id = ANY(@ids::bigint[]);

-- name: SpoolSetAside :exec
-- Keeps rows that nobody can read for a human, under a name that no pool can have. Connectors may not update the table.
WITH unreadable AS (DELETE FROM spool WHERE id = ANY(@ids::bigint[]) RETURNING pool, envelope, created_at)
INSERT INTO spool (pool, envelope, created_at) SELECT pool || '/unreadable', envelope, created_at FROM unreadable;

-- name: SpoolDepth :one
SELECT count(*) AS rows, coalesce(min(created_at), 'epoch')::timestamptz AS oldest FROM spool WHERE pool = @pool;

-- name: SpoolLock :one
SELECT pg_try_advisory_lock(hashtextextended('spool/' || @pool::text, 7));

-- name: MediaClaim :many
-- Leases files to be fetched: not_before keeps other replicas away until the lease ends.
UPDATE media SET not_before = @lease_ends, attempts = attempts + 1
WHERE id IN (SELECT m.id FROM media m WHERE m.state = 'fetch' AND m.channel = ANY(@channels::text[]) AND (m.not_before IS NULL OR m.not_before <= @now)
             ORDER BY m.created_at LIMIT @max_rows FOR UPDATE SKIP LOCKED)
RETURNING id, channel, platform_id, attempts, created_at;

-- name: MediaStored :exec
UPDATE media SET state = 'stored', data = @data, content_type = @content_type, reason = '', not_before = NULL WHERE id = @id AND state = 'fetch';

-- name: MediaRetry :exec
UPDATE media SET not_before = @not_before, reason = @reason WHERE id = @id AND state = 'fetch';

-- name: MediaFailed :exec
UPDATE media SET state = 'failed', reason = @reason, not_before = NULL WHERE id = @id AND state = 'fetch';

-- name: MediaData :one
SELECT content_type, data FROM media WHERE id = @id AND channel = @channel AND state = 'stored';

-- name: MediaUpload :one
SELECT upload_id FROM media WHERE id = @id AND channel = @channel AND upload_id <> '' AND upload_expires > @now;

-- name: MediaUploaded :exec
UPDATE media SET upload_id = @upload_id, upload_expires = @upload_expires WHERE id = @id AND channel = @channel;

-- name: TokenForce :execrows
-- Takes the right to force a token's refresh; no row when somebody took it after @before.
INSERT INTO token_refresh (account, forced_at) VALUES (@account, @now)
ON CONFLICT (account) DO UPDATE SET forced_at = excluded.forced_at WHERE token_refresh.forced_at < @before;

-- name: DeliveryOrphans :execrows
-- Ends what waits for Channels that are gone.
UPDATE delivery SET state = CASE state WHEN 'sending' THEN 'unknown' ELSE 'failed' END, reason = @reason, owner = '', updated_at = clock_timestamp(), reported = false
WHERE pool = @pool AND state IN ('queued', 'sending', 'deferred') AND NOT (channel = ANY(@channels::text[])) AND updated_at < statement_timestamp() - make_interval(secs => @waited::float8);
