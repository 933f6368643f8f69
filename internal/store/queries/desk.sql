-- name: DeskConversations :many
-- Conversations as a desk lists them, the last touched first, each with its last message. Without a state: all that are open.
-- An agent sees those of their groups and those that they serve, a supervisor all.
SELECT sqlc.embed(conversation),
    coalesce(m.sender, '')::text AS last_sender, coalesce(m.content, 'null')::jsonb AS last_content,
    coalesce(m.sent_at, conversation.last_message_at)::timestamptz AS last_sent_at
FROM conversation
LEFT JOIN LATERAL (
    SELECT sender, content, sent_at FROM message WHERE conversation_id = conversation.id
    ORDER BY sent_at DESC, platform_message_id DESC, id DESC LIMIT 1
) m ON true
WHERE CASE WHEN @state::text = '' THEN conversation.state <> 'closed' ELSE conversation.state = @state::text END
  AND (@all_groups::bool OR conversation.skill_group = ANY(@skill_groups::text[]) OR (conversation.state = 'assigned' AND conversation.agent = @agent::text))
  AND (NOT @mine::bool OR conversation.agent = @agent::text)
ORDER BY conversation.last_message_at DESC, conversation.id
LIMIT @max_rows;

-- name: DeskTranscript :many
-- The newest messages of a conversation in the order of the platform's clock, each with what became of it.
SELECT newest.id, newest.direction, newest.sender, newest.agent, newest.content, newest.sent_at,
    newest.delivery_state, newest.delivery_code, newest.delivery_reason
FROM (
    SELECT m.id, m.direction, m.sender, m.agent, m.platform_message_id, m.content, m.sent_at,
        coalesce(d.state, '')::text AS delivery_state, coalesce(d.code, 0)::int AS delivery_code, coalesce(d.reason, '')::text AS delivery_reason
    FROM message m LEFT JOIN delivery d ON d.message_id = m.id
    WHERE m.conversation_id = @conversation_id
    ORDER BY m.sent_at DESC, m.platform_message_id DESC, m.id DESC
    LIMIT @max_rows
) newest
ORDER BY newest.sent_at, newest.platform_message_id, newest.id;

-- name: DeskMessage :one
SELECT m.id, m.direction, m.sender, m.agent, m.content, m.sent_at,
    coalesce(d.state, '')::text AS delivery_state, coalesce(d.code, 0)::int AS delivery_code, coalesce(d.reason, '')::text AS delivery_reason
FROM message m LEFT JOIN delivery d ON d.message_id = m.id
WHERE m.conversation_id = @conversation_id AND m.id = @id;

-- name: DeskWaiting :many
-- How many wait in each of the groups: for an agent, the first of them since when, and for the opening.
SELECT g.name::text AS skill_group,
    (SELECT count(*) FROM conversation WHERE state = 'queued' AND skill_group = g.name) AS queued,
    coalesce((SELECT min(coalesce(waiting_since, queued_at)) FROM conversation WHERE state = 'queued' AND skill_group = g.name), 'epoch')::timestamptz AS oldest,
    (SELECT count(*) FROM conversation WHERE state = 'awaiting_opening' AND skill_group = g.name) AS awaiting_opening
FROM unnest(@skill_groups::text[]) AS g(name);

-- name: DeskComplaints :many
-- Complaints as a desk lists them, the oldest first. Without a state: those that still ask for somebody, which one whose case has lapsed does
-- not. Whose they are is what their conversations say now; of one without a conversation, its group.
SELECT sqlc.embed(complaint) FROM complaint
LEFT JOIN conversation ON conversation.id = complaint.conversation_id
LEFT JOIN service_case ON service_case.id = complaint.id
WHERE CASE WHEN @state::text = '' THEN complaint.state IN ('open', 'escalated', 'resolved') ELSE complaint.state = @state::text END
  AND (complaint.state = 'followed_up' OR service_case.closed_at IS NULL)
  AND (@all_groups::bool OR conversation.skill_group = ANY(@skill_groups::text[]) OR (conversation.state = 'assigned' AND conversation.agent = @agent::text)
    OR (complaint.conversation_id IS NULL AND complaint.skill_group = ANY(@skill_groups::text[])))
ORDER BY complaint.opened_at, complaint.id
LIMIT @max_rows;

-- name: DeskComplaintOfConversation :one
-- The newest complaint of a conversation, and whether its case was closed without anybody asking the customer again.
SELECT sqlc.embed(complaint), coalesce(complaint.state <> 'followed_up' AND service_case.closed_at IS NOT NULL, false)::bool AS lapsed
FROM complaint LEFT JOIN service_case ON service_case.id = complaint.id
WHERE complaint.conversation_id = @conversation_id::uuid ORDER BY complaint.opened_at DESC LIMIT 1;

-- name: DeskComplaintResolve :one
-- What an agent says of a complaint's end; no row when somebody said it before. Its process adds the day of the follow-up.
UPDATE complaint SET state = 'resolved', resolved_at = @at::timestamptz, resolved_by = @resolved_by, resolution = @resolution
WHERE id = @id AND state IN ('open', 'escalated')
RETURNING *;

-- name: DeskVisible :many
-- Those of the conversations that an agent may see now.
SELECT id FROM conversation
WHERE id = ANY(@ids::uuid[])
  AND (skill_group = ANY(@skill_groups::text[]) OR (state = 'assigned' AND agent = @agent::text));

-- name: FeedHeads :many
-- The last number of each agent's feed; an agent without news has no row.
SELECT agent, seq FROM feed WHERE agent = ANY(@agents::text[]);

-- name: FeedClaim :execrows
-- Makes an Agent the reader of the feed of their name. What another Agent of that name could read is gone for good; its
-- numbers go on, so that nobody takes a new frame for an old one.
WITH claimed AS (
    INSERT INTO feed (agent, seq, reader) VALUES (@agent, 0, @reader)
    ON CONFLICT (agent) DO UPDATE SET reader = excluded.reader WHERE feed.reader <> excluded.reader
    RETURNING feed.agent
), old AS (
    SELECT feed.agent FROM feed JOIN claimed ON claimed.agent = feed.agent WHERE feed.reader <> ''
)
DELETE FROM frame WHERE agent IN (SELECT agent FROM old);

-- name: SessionAdd :exec
-- Opens a session; of those that the agent has, only the newest stay.
WITH surplus AS (
    DELETE FROM session WHERE token_sha256 IN (
        SELECT s.token_sha256 FROM session s WHERE s.agent = @agent AND s.expires_at > @created_at
        ORDER BY s.created_at DESC, s.token_sha256 OFFSET @most_others)
)
INSERT INTO session (token_sha256, agent, trial_token_sha256, created_at, expires_at)
VALUES (@token_sha256, @agent, @trial_token_sha256, @created_at, @expires_at);

-- name: SessionGet :one
SELECT agent, trial_token_sha256, expires_at FROM session WHERE token_sha256 = @token_sha256 AND expires_at > @now;

-- name: SessionsAlive :many
SELECT token_sha256 FROM session WHERE token_sha256 = ANY(@tokens::bytea[]) AND expires_at > @now;

-- name: SessionDelete :exec
DELETE FROM session WHERE token_sha256 = @token_sha256;

-- name: SessionsPrune :execrows
DELETE FROM session WHERE expires_at <= @now;

-- name: PresenceKnow :exec
-- Makes the row that says that an agent has come to the desk at least once.
INSERT INTO presence (agent, on_duty, updated_at) VALUES (@agent, false, @at) ON CONFLICT (agent) DO NOTHING;

-- name: PresenceAgents :many
-- Everybody who has come to the desk at least once, in the order of their names.
SELECT agent, on_duty FROM presence ORDER BY agent;

-- name: PresenceSeen :exec
-- Notes that agents were seen, unless that was noted a moment ago.
UPDATE presence SET seen_at = @at::timestamptz
WHERE agent = ANY(@agents::text[]) AND (seen_at IS NULL OR seen_at < @noted_before::timestamptz);

-- name: PresenceExpire :execrows
-- Takes those off duty who were not seen, and those who are no Agents any more.
UPDATE presence SET on_duty = false, updated_at = @at
WHERE on_duty AND (coalesce(seen_at, updated_at) < @seen_before::timestamptz OR NOT (agent = ANY(@agents::text[])));

-- name: UploadAdd :execrows
-- A file from a desk belongs to no Channel until it is sent; platform_id says whose it is. No row when its owner has
-- uploaded too much that was not sent.
INSERT INTO media (id, channel, state, platform_id, content_type, data, created_at)
SELECT @id, '', 'stored', @owner, @content_type, @data, @at
WHERE (SELECT coalesce(sum(octet_length(f.data)), 0) FROM media f WHERE f.channel = '' AND f.platform_id = @owner::text)
    + octet_length(@data::bytea) <= @most_bytes::bigint;

-- name: UploadBind :one
-- Gives a file from a desk to the Channel on which its owner sends it; no row when it is not theirs to send there. It is as old as the last
-- message that holds it.
UPDATE media SET channel = @channel, created_at = @at
WHERE id = @id AND platform_id = @owner AND state = 'stored' AND channel IN ('', @channel)
RETURNING content_type;

-- name: UploadsPrune :execrows
-- Lets go of files that nobody sent.
DELETE FROM media WHERE channel = '' AND created_at < @before;

-- name: MediaOfConversation :one
-- What is known of a file that a message of the conversation refers to.
SELECT state, content_type, coalesce(octet_length(data), 0)::bigint AS size FROM media f
WHERE f.id = @id AND EXISTS (
    SELECT FROM message m WHERE m.conversation_id = @conversation_id
      AND (m.content->'media'->>'id' = f.id::text OR m.content->'page'->'thumb'->>'id' = f.id::text));

-- name: MediaRead :one
-- So many bytes of a stored file from one on, which is counted from 1.
SELECT coalesce(substring(data FROM @start::int FOR @length::int), '')::bytea AS piece FROM media WHERE id = @id;

-- name: ContactTierSet :exec
-- Gives a contact and their open conversation another tier, and notes who did.
WITH contacts AS (
    UPDATE contact SET tier = @after WHERE channel = @channel AND external_id = @external_id
), conversations AS (
    UPDATE conversation SET tier = @after WHERE channel = @channel AND external_id = @external_id AND state <> 'closed'
)
INSERT INTO tier_change (channel, external_id, before, after, changed_by, changed_at)
VALUES (@channel, @external_id, @before, @after, @changed_by, @changed_at);

-- name: TierChanges :many
-- Who gave a contact which tier, the last first.
SELECT before, after, changed_by, changed_at FROM tier_change WHERE channel = @channel AND external_id = @external_id ORDER BY id DESC LIMIT @max_rows;

-- name: DeskEvidence :many
-- Those of the messages that a customer has sent on a Channel, each with the file that it holds: in the conversation that is given, and in
-- the others that an agent sees.
SELECT m.id, coalesce(m.content->'media'->>'id', '')::text AS media FROM message m
WHERE m.channel = @channel AND m.external_id = @external_id AND m.sender = 'customer' AND m.id = ANY(@ids::uuid[])
  AND (m.conversation_id = sqlc.narg('conversation_id') OR EXISTS (
      SELECT FROM conversation c WHERE c.id = m.conversation_id
        AND (@all_groups::bool OR c.skill_group = ANY(@skill_groups::text[]) OR c.state = 'assigned' AND c.agent = @agent::text)))
ORDER BY m.sent_at, m.platform_message_id, m.id;

-- name: MediaGet :one
-- What is known of a file, without its bytes.
SELECT state, content_type, coalesce(octet_length(data), 0)::bigint AS size FROM media WHERE id = @id;

-- name: MediaFacts :many
-- What is known of files, without their bytes.
SELECT id, state, content_type, coalesce(octet_length(data), 0)::bigint AS size FROM media WHERE id = ANY(@ids::uuid[]);

-- name: MediaDigests :many
SELECT id, sha256(data) FROM media WHERE id = ANY(@ids::uuid[]) AND state = 'stored' AND data IS NOT NULL;

-- name: AfterSalesOfConversation :many
SELECT * FROM service_case WHERE conversation_id = @conversation_id AND kind = 'afterSales' ORDER BY opened_at, id;

-- name: FormKeyAdd :exec
-- Keeps a key unless there is one.
INSERT INTO form_key (key) VALUES (@key) ON CONFLICT DO NOTHING;

-- name: FormKeyGet :one
SELECT key FROM form_key;

-- name: FormsLock :exec
-- Held until the unit commits, by whoever keeps files of a customer's forms.
SELECT pg_advisory_xact_lock(hashtextextended('forms/' || @channel::text || '/' || @external_id::text, 43));

-- name: FormBytes :one
-- How much a customer has sent with forms lately, but for some files.
SELECT coalesce(sum(octet_length(data)), 0)::bigint FROM media
WHERE channel = @channel AND platform_id = 'form/' || @external_id::text AND platform_id LIKE 'form/%' AND created_at > @since
  AND NOT (id = ANY(@but::uuid[]));

-- name: FormFileAdd :exec
-- A file that a customer sent with a form, which begins with data and goes on with the pieces; it belongs to the Channel on which they are
-- known, and platform_id says whose it is.
INSERT INTO media (id, channel, state, platform_id, content_type, data, created_at)
VALUES (@id, @channel, 'stored', 'form/' || @external_id::text, @content_type,
    @data::bytea || coalesce((SELECT string_agg(p.data, '' ORDER BY p.number) FROM media_piece p WHERE p.media = @pieces), ''), @at)
ON CONFLICT (id) DO NOTHING;

-- name: PieceAdd :exec
INSERT INTO media_piece (media, number, data, created_at) VALUES (@media, @number, @data, @at);

-- name: PiecesDelete :exec
DELETE FROM media_piece WHERE media = @media;

-- name: PiecesPrune :exec
-- Lets go of pieces that nobody put together.
DELETE FROM media_piece WHERE created_at < @before;

-- name: TranscriptExportAdd :exec
INSERT INTO transcript_export (conversation_id, agent, exported_at, sha256) VALUES (@conversation_id, @agent, @exported_at, @sha256);
