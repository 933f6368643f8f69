-- name: ConversationsErase :execrows
-- Deletes conversations that ended before, with all that was said and done in them and what customers handed in with forms. Of one with an
-- open case or complaint nothing goes: somebody still owes the customer something. The files of their messages go by MediaErase.
WITH over AS (
    SELECT c.id FROM conversation c
    WHERE c.state = 'closed' AND c.closed_at < @before::timestamptz
      AND NOT EXISTS (SELECT FROM service_case s WHERE s.conversation_id = c.id AND s.closed_at IS NULL)
      AND NOT EXISTS (SELECT FROM complaint p WHERE p.conversation_id = c.id AND p.state <> 'followed_up' AND NOT p.follow_up_overdue)
    ORDER BY c.closed_at LIMIT 200 FOR UPDATE SKIP LOCKED
), forms AS (
    DELETE FROM media WHERE id IN (
        SELECT (e ->> 'media')::uuid FROM service_case s, jsonb_path_query(s.detail, '$.application.evidence[*]') e
        WHERE s.conversation_id IN (SELECT id FROM over) AND s.kind = 'afterSales' AND e -> 'message' IS NULL)
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
-- Deletes after-sales cases, complaints and orders to be sent that belong to no conversation and ended before, with what customers handed in
-- with forms. Orders, addresses and what people complained of are in them.
WITH over AS (
    SELECT id, kind, detail FROM service_case
    WHERE kind IN ('afterSales', 'complaint', 'shipping') AND conversation_id IS NULL AND closed_at < @before::timestamptz
    LIMIT 200 FOR UPDATE SKIP LOCKED
), forms AS (
    DELETE FROM media WHERE id IN (
        SELECT (e ->> 'media')::uuid FROM over, jsonb_path_query(over.detail, '$.application.evidence[*]') e
        WHERE over.kind = 'afterSales' AND e -> 'message' IS NULL)
), complaints AS (
    DELETE FROM complaint WHERE id IN (SELECT id FROM over)
)
DELETE FROM service_case WHERE id IN (SELECT id FROM over);

-- name: MediaErase :execrows
-- Deletes files that came, or were sent the last time, before, and that no message and no case refers to any more. The messages that hold a
-- file came with it or before it was sent the last time, in a day for what desks sent that did not note this: of messages only the oldest are
-- read, of which few are left once conversations are erased. Fewer at a time: a file may have 20 MiB.
WITH unheld AS (
    SELECT id FROM media WHERE created_at < @before::timestamptz AND channel <> ''
    EXCEPT
    SELECT (part ->> 'id')::uuid FROM message m, unnest(ARRAY[m.content -> 'media', m.content -> 'thumb', m.content -> 'page' -> 'thumb']) part
    WHERE m.received_at < (@before::timestamptz) + interval '1 day' AND part IS NOT NULL
), orphan AS (
    -- Counted, so that each file is looked up in the index: of one that is not there, to look for the first would read all cases.
    SELECT u.id FROM unheld u WHERE 0 = (
        SELECT count(*) FROM service_case s
        WHERE s.kind = 'afterSales' AND s.detail -> 'application' -> 'evidence' @> jsonb_build_array(jsonb_build_object('media', u.id)))
    LIMIT 100
)
DELETE FROM media WHERE id = ANY(ARRAY(
    SELECT f.id FROM media f WHERE f.id = ANY(ARRAY(SELECT id FROM orphan)) AND f.created_at < @before FOR UPDATE SKIP LOCKED));

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
