-- Which conversations are older than the brand keeps them. One index whose making was cut short stays, and is of no use to
-- anybody: it is removed before it is made again.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS conversation_closed;
CREATE INDEX CONCURRENTLY conversation_closed ON conversation (closed_at) WHERE state = 'closed';

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS conversation_closed;
