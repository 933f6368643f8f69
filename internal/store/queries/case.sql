-- name: CaseOpen :one
-- No row when the case exists already.
INSERT INTO service_case (id, kind, state, title, conversation_id, channel, external_id, skill_group, owner, opened_at, due_at, closed_at, detail)
VALUES (@id, @kind, @state, @title, sqlc.narg(conversation_id), @channel, @external_id, @skill_group, @owner, @opened_at, sqlc.narg(due_at), sqlc.narg(closed_at), @detail)
ON CONFLICT (id) DO NOTHING
RETURNING *;

-- name: CaseForUpdate :one
SELECT * FROM service_case WHERE id = @id FOR UPDATE;

-- name: CaseGet :one
SELECT * FROM service_case WHERE id = @id;

-- name: CaseWrite :exec
UPDATE service_case SET state = @state, owner = @owner, due_at = sqlc.narg(due_at), breached_at = sqlc.narg(breached_at),
    closed_at = sqlc.narg(closed_at), detail = @detail, revision = @revision
WHERE id = @id;

-- name: CaseStepTaken :one
SELECT EXISTS (SELECT FROM service_case_event WHERE case_id = @case_id AND step = @step);

-- name: CaseStepUse :one
SELECT action, actor, note, at FROM service_case_event WHERE case_id = @case_id AND step = @step;

-- name: CaseOfStep :one
-- The case of a conversation that was taken that step.
SELECT service_case.* FROM service_case JOIN service_case_event e ON e.case_id = service_case.id
WHERE service_case.conversation_id = @conversation_id AND e.step = @step LIMIT 1;

-- name: CaseEventAdd :exec
INSERT INTO service_case_event (case_id, revision, step, action, actor, state, owner, due_at, note, at)
VALUES (@case_id, @revision, @step, @action, @actor, @state, @owner, sqlc.narg(due_at), @note, @at);

-- name: CaseEvents :many
-- The newest events, the oldest of them first; each has the next revision.
SELECT * FROM service_case_event e
WHERE e.case_id = @case_id AND e.revision > (SELECT max(revision) FROM service_case_event WHERE case_id = @case_id) - @max_rows::int
ORDER BY e.revision;

-- name: DeskCases :many
-- Open cases as a desk lists them, by deadline: those that come after a case, where one is given. Empty filters let everything through.
-- Whose a case with a conversation is says the conversation, too; what is judged is shown to who judges it.
SELECT sqlc.embed(service_case) FROM service_case LEFT JOIN conversation ON conversation.id = service_case.conversation_id
WHERE service_case.closed_at IS NULL
  AND (@kind::text = '' OR service_case.kind = @kind)
  AND (@state::text = '' OR service_case.state = @state)
  AND (sqlc.narg(due_before)::timestamptz IS NULL OR service_case.due_at <= sqlc.narg(due_before))
  AND (NOT @mine::bool OR service_case.owner = @agent::text)
  AND (@all_groups::bool OR service_case.owner = @agent::text OR service_case.kind <> 'review' AND (
    service_case.skill_group = ANY(@skill_groups::text[]) OR conversation.skill_group = ANY(@skill_groups::text[])
    OR (conversation.state = 'assigned' AND conversation.agent = @agent::text)))
  AND (@after_id::text = '' OR (coalesce(service_case.due_at, 'infinity'), service_case.opened_at, service_case.id)
    > (coalesce(sqlc.narg(after_due)::timestamptz, 'infinity'), @after_opened::timestamptz, @after_id::text))
ORDER BY service_case.due_at NULLS LAST, service_case.opened_at, service_case.id
LIMIT @max_rows;

-- name: DeskCasesEnded :many
-- Cases that have ended as a desk lists them, the last first, with the filters of DeskCases.
SELECT sqlc.embed(service_case) FROM service_case LEFT JOIN conversation ON conversation.id = service_case.conversation_id
WHERE service_case.closed_at IS NOT NULL
  AND (@kind::text = '' OR service_case.kind = @kind)
  AND (@state::text = '' OR service_case.state = @state)
  AND (@all_groups::bool OR service_case.owner = @agent::text OR service_case.kind <> 'review' AND (
    service_case.skill_group = ANY(@skill_groups::text[]) OR conversation.skill_group = ANY(@skill_groups::text[])
    OR (conversation.state = 'assigned' AND conversation.agent = @agent::text)))
  AND (@after_id::text = '' OR (service_case.closed_at, service_case.id) < (@after_closed::timestamptz, @after_id::text))
ORDER BY service_case.closed_at DESC, service_case.id DESC
LIMIT @max_rows;

-- name: DeskCase :one
-- A case that the agent may see.
SELECT sqlc.embed(service_case) FROM service_case LEFT JOIN conversation ON conversation.id = service_case.conversation_id
WHERE service_case.id = @id
  AND (@all_groups::bool OR service_case.owner = @agent::text OR service_case.kind <> 'review' AND (
    service_case.skill_group = ANY(@skill_groups::text[]) OR conversation.skill_group = ANY(@skill_groups::text[])
    OR (conversation.state = 'assigned' AND conversation.agent = @agent::text)));

-- name: DeskCasesOfPerson :many
-- The cases of a customer on whichever Channel they are known, of those that the agent may see: open ones first, then the newest
-- first. What is judged is no matter of the customer's.
SELECT sqlc.embed(service_case) FROM contact
JOIN service_case ON service_case.channel = contact.channel AND service_case.external_id = contact.external_id
LEFT JOIN conversation ON conversation.id = service_case.conversation_id
WHERE contact.customer_id = @customer_id AND service_case.kind NOT IN ('review', 'emergency')
  AND (@all_groups::bool OR service_case.owner = @agent::text OR service_case.skill_group = ANY(@skill_groups::text[])
    OR conversation.skill_group = ANY(@skill_groups::text[]) OR (conversation.state = 'assigned' AND conversation.agent = @agent::text))
ORDER BY service_case.closed_at IS NOT NULL, service_case.opened_at DESC, service_case.id
LIMIT @max_rows;

-- name: CasesInProgress :many
-- Open cases that a customer may be told of, on whichever Channel they are known, by deadline; those last in which they got everything and
-- are to be asked about it.
SELECT service_case.* FROM contact asking
JOIN contact ON contact.customer_id = asking.customer_id
JOIN service_case ON service_case.channel = contact.channel AND service_case.external_id = contact.external_id
WHERE asking.channel = @channel AND asking.external_id = @external_id
  AND service_case.closed_at IS NULL AND service_case.kind IN ('afterSales', 'complaint', 'promise', 'shipping', 'order')
ORDER BY service_case.kind = 'afterSales' AND service_case.state = 'settled', service_case.due_at NULLS LAST, service_case.opened_at, service_case.id
LIMIT @max_rows;

-- name: OffHoursMove :exec
-- What is owed after the opening goes with its conversation to another group. It is no step of the case: who sees it says the conversation, too.
UPDATE service_case SET skill_group = @skill_group
WHERE conversation_id = @conversation_id AND kind = 'offHours' AND closed_at IS NULL AND skill_group <> @skill_group;

-- name: OffHoursGroup :one
-- The group of the conversation that a case is owed to after the opening; no row for what is owed in another way.
SELECT conversation.skill_group FROM service_case JOIN conversation ON conversation.id = service_case.conversation_id
WHERE service_case.id = @id AND service_case.kind = 'offHours';

-- name: CasesOpenOfConversation :many
-- The open cases of a kind of a conversation.
SELECT * FROM service_case WHERE conversation_id = @conversation_id AND kind = @kind AND closed_at IS NULL ORDER BY opened_at, id LIMIT @max_rows;
