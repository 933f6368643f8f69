-- Who waits for an answer is looked for in groups that take conversations back; the others need no index of it.

-- +goose Up
DROP INDEX conversation_unanswered;
ALTER TABLE conversation DROP COLUMN answered_at;
-- Since when the agent has the conversation and has said nothing, in groups that take it back then; null otherwise.
ALTER TABLE conversation ADD COLUMN unanswered_since timestamptz;
CREATE INDEX conversation_unanswered ON conversation (skill_group, unanswered_since) WHERE state = 'assigned' AND unanswered_since IS NOT NULL;

-- +goose Down
DROP INDEX conversation_unanswered;
ALTER TABLE conversation DROP COLUMN unanswered_since;
ALTER TABLE conversation ADD COLUMN answered_at timestamptz;
CREATE INDEX conversation_unanswered ON conversation (skill_group, assigned_at) WHERE state = 'assigned' AND answered_at IS NULL;
