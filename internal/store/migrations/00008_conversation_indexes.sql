-- Indexes of conversations, which stay for ever: made while the routers and desks of before go on writing.

-- +goose NO TRANSACTION
-- +goose Up

-- Those whose agent has said nothing yet, in groups that take them back.
CREATE INDEX CONCURRENTLY IF NOT EXISTS conversation_unanswered ON conversation (skill_group, unanswered_since)
    WHERE state = 'assigned' AND unanswered_since IS NOT NULL;
-- Who served a customer last.
CREATE INDEX CONCURRENTLY IF NOT EXISTS conversation_served ON conversation (customer_id, closed_at DESC) WHERE state = 'closed' AND agent IS NOT NULL;
-- The order of queues.
CREATE INDEX CONCURRENTLY IF NOT EXISTS conversation_place ON conversation (skill_group, (coalesce(queue_key, queued_at)), id) WHERE state = 'queued';
DROP INDEX CONCURRENTLY IF EXISTS conversation_queue;
-- How quickly groups take conversations.
CREATE INDEX CONCURRENTLY IF NOT EXISTS conversation_taken ON conversation (skill_group, assigned_at) WHERE assigned_at IS NOT NULL;
-- Written when a conversation ends, and never again.
CREATE INDEX CONCURRENTLY IF NOT EXISTS conversation_ended ON conversation (closed_at) WHERE state = 'closed' AND offered_at IS NOT NULL;

-- +goose Down
CREATE INDEX CONCURRENTLY IF NOT EXISTS conversation_queue ON conversation (skill_group, priority DESC, queued_at, id) WHERE state = 'queued';
DROP INDEX CONCURRENTLY IF EXISTS conversation_ended;
DROP INDEX CONCURRENTLY IF EXISTS conversation_taken;
DROP INDEX CONCURRENTLY IF EXISTS conversation_place;
DROP INDEX CONCURRENTLY IF EXISTS conversation_served;
DROP INDEX CONCURRENTLY IF EXISTS conversation_unanswered;
