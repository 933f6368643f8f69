-- What choosing an agent goes by.

-- +goose Up

-- Since when an agent on duty serves nobody, if they serve nobody; null before they first went on duty.
ALTER TABLE presence ADD COLUMN idle_since timestamptz;

-- When an agent first said something since the conversation was assigned to them; null until then.
ALTER TABLE conversation ADD COLUMN answered_at timestamptz;
-- Who had the conversation and lost it, because they did not answer in time.
ALTER TABLE conversation ADD COLUMN passed_by text[] NOT NULL DEFAULT '{}';
-- How much of the agent's capacity it takes, noted when it is assigned, so that as much is given back.
ALTER TABLE conversation ADD COLUMN weight integer NOT NULL DEFAULT 1 CHECK (weight > 0);
-- Nobody knows any more; taking a conversation from who answers it would be worse than leaving it.
UPDATE conversation SET answered_at = assigned_at WHERE state = 'assigned';
CREATE INDEX conversation_unanswered ON conversation (skill_group, assigned_at) WHERE state = 'assigned' AND answered_at IS NULL;
CREATE INDEX conversation_served ON conversation (customer_id, closed_at DESC) WHERE state = 'closed' AND agent IS NOT NULL;

-- +goose Down
DROP INDEX conversation_served;
DROP INDEX conversation_unanswered;
ALTER TABLE conversation DROP COLUMN weight;
ALTER TABLE conversation DROP COLUMN passed_by;
ALTER TABLE conversation DROP COLUMN answered_at;
ALTER TABLE presence DROP COLUMN idle_since;
