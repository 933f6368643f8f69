-- name: ConversationsErase :execrows
-- Deletes conversations that ended before, with all that was said, sent and done in them. Of one with an open case or complaint
-- nothing goes: somebody still owes the customer something. A file that is evidence stays until the conversations of all its cases go, and
-- that in which it was sent.
WITH over AS (
    SELECT c.id FROM conversation c
    WHERE c.state = 'closed' AND c.closed_at < @before::timestamptz
      AND NOT EXISTS (SELECT FROM service_case s WHERE s.conversation_id = c.id AND s.closed_at IS NULL)
      AND NOT EXISTS (SELECT FROM complaint p WHERE p.conversation_id = c.id AND p.state <> 'followed_up' AND NOT p.follow_up_overdue)
    ORDER BY c.closed_at LIMIT 200 FOR UPDATE SKIP LOCKED
), referred AS (
    SELECT (held.file ->> 'id')::uuid AS file, m.channel, m.external_id FROM message m,
        unnest(ARRAY[m.content -> 'media', m.content -> 'thumb', m.content -> 'page' -> 'thumb']) held(file)
    WHERE m.conversation_id IN (SELECT id FROM over) AND held.file IS NOT NULL
    UNION
    SELECT (e ->> 'media')::uuid, s.channel, s.external_id FROM service_case s, jsonb_path_query(s.detail, '$.application.evidence[*]') e
    WHERE s.conversation_id IN (SELECT id FROM over) AND s.kind = 'afterSales' AND e ? 'media'
), files AS (
    DELETE FROM media f USING referred r WHERE f.id = r.file
      AND NOT EXISTS (
        SELECT FROM service_case s
        WHERE s.channel = r.channel AND s.external_id = r.external_id AND s.kind = 'afterSales' AND s.conversation_id NOT IN (SELECT id FROM over)
          AND s.detail -> 'application' -> 'evidence' @> jsonb_build_array(jsonb_build_object('media', r.file)))
      AND NOT EXISTS (
        SELECT FROM message m
        WHERE m.channel = r.channel AND m.external_id = r.external_id AND m.conversation_id NOT IN (SELECT id FROM over)
          AND m.content -> 'media' ->> 'id' = r.file::text)
), deliveries AS (
    DELETE FROM delivery WHERE message_id IN (SELECT m.id FROM message m WHERE m.conversation_id IN (SELECT id FROM over))
), messages AS (
    DELETE FROM message WHERE conversation_id IN (SELECT id FROM over)
), cases AS (
    DELETE FROM service_case WHERE conversation_id IN (SELECT id FROM over)
), complaints AS (
    DELETE FROM complaint WHERE conversation_id IN (SELECT id FROM over)
), surveys AS (
    DELETE FROM survey WHERE conversation_id IN (SELECT id FROM over)
), reviews AS (
    DELETE FROM review WHERE conversation_id IN (SELECT id FROM over)
)
DELETE FROM conversation WHERE id IN (SELECT id FROM over);

-- name: CasesErase :execrows
-- Deletes after-sales cases, complaints and orders to be sent that belong to no conversation and ended before. Orders, addresses and what people
-- complained of are in them.
WITH over AS (
    SELECT id FROM service_case
    WHERE kind IN ('afterSales', 'complaint', 'shipping') AND conversation_id IS NULL AND closed_at < @before::timestamptz
    LIMIT 200 FOR UPDATE SKIP LOCKED
), complaints AS (
    DELETE FROM complaint WHERE id IN (SELECT id FROM over)
)
DELETE FROM service_case WHERE id IN (SELECT id FROM over);

-- name: ContactsErase :execrows
-- Deletes who was not seen since and of whom no conversation is left, with what was known of them.
WITH over AS (
    SELECT k.channel, k.external_id FROM contact k
    WHERE k.last_seen < @before::timestamptz
      AND NOT EXISTS (SELECT FROM conversation c WHERE c.customer_id = k.customer_id)
    LIMIT 200 FOR UPDATE SKIP LOCKED
), quotas AS (
    DELETE FROM quota WHERE (channel, external_id) IN (SELECT channel, external_id FROM over)
), profiles AS (
    DELETE FROM profile WHERE (channel, external_id) IN (SELECT channel, external_id FROM over)
), tiers AS (
    DELETE FROM tier_change WHERE (channel, external_id) IN (SELECT channel, external_id FROM over)
), deliveries AS (
    DELETE FROM delivery WHERE (channel, external_id) IN (SELECT channel, external_id FROM over) AND reported
)
DELETE FROM contact WHERE (channel, external_id) IN (SELECT channel, external_id FROM over);

-- name: PersonsErase :execrows
-- Deletes the names that platforms gave to people of whom no contact is left.
DELETE FROM person WHERE union_id = ANY(ARRAY(
    SELECT p.union_id FROM person p WHERE NOT EXISTS (SELECT FROM contact k WHERE k.customer_id = p.customer_id) LIMIT 200));
