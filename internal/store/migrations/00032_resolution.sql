-- By when a customer's question is to be solved. An index whose making was cut short stays, and is of no use to anybody: it is
-- removed before it is made again.

-- +goose NO TRANSACTION
-- +goose Up

-- Null once somebody was told that it is late, and where nobody has promised a time.
ALTER TABLE conversation ADD COLUMN IF NOT EXISTS resolve_at timestamptz;
DROP INDEX CONCURRENTLY IF EXISTS conversation_resolve;
CREATE INDEX CONCURRENTLY conversation_resolve ON conversation (resolve_at) WHERE state IN ('queued', 'assigned') AND resolve_at IS NOT NULL;

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS conversation_resolve;
ALTER TABLE conversation DROP COLUMN IF EXISTS resolve_at;
