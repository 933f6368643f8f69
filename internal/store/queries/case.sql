-- name: CaseOpen :one
-- No row when the case exists already.
INSERT INTO service_case (id, kind, state, title, conversation_id, channel, external_id, skill_group, owner, opened_at, due_at, detail)
VALUES (@id, @kind, @state, @title, sqlc.narg(conversation_id), @channel, @external_id, @skill_group, @owner, @opened_at, sqlc.narg(due_at), @detail)
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

-- name: CaseEventAdd :exec
INSERT INTO service_case_event (case_id, revision, step, actor, state, note, at)
VALUES (@case_id, @revision, @step, @actor, @state, @note, @at);

-- name: CaseEvents :many
SELECT * FROM service_case_event WHERE case_id = @case_id ORDER BY revision LIMIT @max_rows;

-- name: CasesOpen :many
-- Open cases, what is due first first. Empty filters let everything through; mine are those of the agent and of the groups.
SELECT * FROM service_case
WHERE closed_at IS NULL
  AND (@kind::text = '' OR kind = @kind)
  AND (@state::text = '' OR state = @state)
  AND (sqlc.narg(due_before)::timestamptz IS NULL OR due_at <= sqlc.narg(due_before))
  AND (@all_groups::boolean OR owner = @agent::text OR skill_group = ANY(@skill_groups::text[]))
ORDER BY due_at NULLS LAST, opened_at
LIMIT @max_rows;

-- name: CasesOfCustomer :many
-- The cases of a customer, the newest first.
SELECT * FROM service_case WHERE channel = @channel AND external_id = @external_id ORDER BY opened_at DESC LIMIT @max_rows;

-- name: CasesOpenOfConversation :many
-- The open cases of a kind of a conversation.
SELECT * FROM service_case WHERE conversation_id = @conversation_id AND kind = @kind AND closed_at IS NULL ORDER BY opened_at, id LIMIT @max_rows;
