-- What happened in an event of a case's history, and what the case was after it: who had it, and until when. Events that are older have
-- none of them; what happened in these is told by their step.

-- +goose Up
ALTER TABLE service_case_event ADD COLUMN IF NOT EXISTS action text NOT NULL DEFAULT '';
ALTER TABLE service_case_event ADD COLUMN IF NOT EXISTS owner text NOT NULL DEFAULT '';
ALTER TABLE service_case_event ADD COLUMN IF NOT EXISTS due_at timestamptz;

-- +goose Down
ALTER TABLE service_case_event DROP COLUMN action, DROP COLUMN owner, DROP COLUMN due_at;
